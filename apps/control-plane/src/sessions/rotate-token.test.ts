import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { memberInvited } from '@ringfence/protocol/api';
import { runAsSuperuser } from '@ringfence/store/test-database';
import { ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { sendRaw, signedRaw } from '../http/raw-request.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { TestBrowser } from './test-browser.fixture.ts';

test('a session has the token of its last sign-in or step-up alone, at both replicas', async (t) => {
  const { one, two, clock, browser, invite, url } = await start(t);

  await t.test('a step-up draws another token, and the one before opens and changes nothing', async () => {
    const { cookie } = browser;
    assert.equal((await sendRaw(two, browser.request('GET', '/v1/account'))).status, 200, 'the other one knows it');
    clock.shift(60_000);
    const factor = { kind: 'totp', code: browser.code() };
    assert.equal((await browser.ask('POST', '/v1/step-up', { factor: { ...factor, code: '000000' } })).status, 401);
    assert.equal(browser.cookie, cookie, 'a wrong one draws none');
    clock.shift(2_000);
    await sendRaw(two, browser.request('GET', '/v1/account'));
    assert.equal((await browser.ask('POST', '/v1/step-up', { factor })).status, 200);
    assert.notEqual(browser.cookie, cookie);
    const before = browser.request('POST', '/v1/account/recovery-codes', {}, { cookie });
    assert.equal((await sendRaw(two, before)).status, 401, 'although the other replica remembers it');
    assert.equal((await browser.ask('GET', '/v1/account', undefined, { cookie })).status, 401);
    assert.equal((await sendRaw(two, browser.request('POST', '/v1/account/recovery-codes', {}))).status, 200);
  });

  await t.test(
    'a token that cannot be stored raises no session: the one before opens as little as it did',
    async () => {
      const given = async () => (await browser.ask('GET', '/v1/account')).value;
      clock.shift(60_000);
      const before = await given();
      await runAsSuperuser(
        url,
        `create function rf_cp.no_rotation() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger no_rotation before update of token_digest on rf_cp.session for each row execute function rf_cp.no_rotation()`,
      );
      const factor = { kind: 'password', password: browser.password };
      assert.equal((await browser.ask('POST', '/v1/step-up', { factor })).status, 500);
      clock.shift(2_000);
      assert.deepEqual(await given(), before);
      await runAsSuperuser(url, 'drop function rf_cp.no_rotation cascade');
      assert.equal((await browser.ask('POST', '/v1/step-up', { factor })).status, 200);
      assert.notDeepEqual(await given(), before);
    },
  );

  await t.test('a sign-in ends the session whose cookie it replaces, and one that fails ends nothing', async () => {
    const { cookie } = browser;
    const left = browser.request('GET', '/v1/account');
    const invited = await invite();
    const next = new TestBrowser(one, clock);
    const publicKey = next.key.publicKey;
    const wrong = await next.knock('/v1/sign-in/invitation', { secret: 'A'.repeat(43), publicKey }, { cookie });
    assert.equal(wrong.status, 401);
    assert.equal((await sendRaw(one, left)).status, 200);
    const { secret } = invited;
    next.isIn(await next.knock('/v1/sign-in/invitation', { secret, publicKey }, { cookie }));
    assert.notEqual(next.member, browser.member, 'whoever was there before');
    assert.equal((await sendRaw(one, left)).status, 401);
    assert.equal((await next.ask('GET', '/v1/account')).status, 200);
  });
});

async function start(t: TestContext) {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const one = await startReplica(t, { databaseUrl: database.url, clock });
  const keys = join(dirname(one.ready['registration_code_file'] ?? ''), 'keys');
  const two = await startReplica(t, { databaseUrl: database.url, clock, keys });
  const house = new TestOrganisation(clock);
  await house.enrol(t, one);
  const invite = async () => {
    const call = { method: 'POST', path: '/v1/members', value: { roles: [{ role: 'ml-engineer' }] } } as const;
    return memberInvited.parse(JSON.parse((await sendRaw(one, signedRaw(house, clock, call))).text));
  };
  const browser = new TestBrowser(one, clock);
  await browser.accept(await invite());
  await browser.enrol();
  return { one, two, clock, browser, invite, url: database.url };
}
