import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { memberInvited, passkeyAsked, passkeyUseAsked } from '@ringfence/protocol/api';
import { ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { sendRaw, signedRaw } from '../http/raw-request.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { relyingPartyOf } from '../passkeys/relying-party.ts';
import { SoftwarePasskey } from '../passkeys/software-authenticator.fixture.ts';
import { TestBrowser } from '../sessions/test-browser.fixture.ts';

const NEXT = 'nine slow boats under fog';

test('a password is changed by whoever knows it', async (t) => {
  const { browser, clock, url } = await start(t);
  const change = (body: Record<string, unknown>) => browser.ask('POST', '/v1/account/password', body);

  await t.test('a session that two factors began changes it with the current one alone', async () => {
    const without = await change({ password: NEXT });
    assert.deepEqual([without.status, without.code], [400, 'bad-request'], without.text);
    const wrong = await change({ password: NEXT, current: 'another one altogether' });
    assert.deepEqual([wrong.status, wrong.code], [400, 'bad-request'], wrong.text);
    clock.shift(60_000);
    assert.equal((await browser.signIn()).status, 200, 'it is what it was');
    const right = await change({ password: NEXT, current: browser.password });
    assert.equal(right.status, 200, right.text);
    clock.shift(60_000);
    assert.equal((await browser.signIn()).code, 'not-authenticated', 'the one before');
    clock.shift(60_000);
    browser.password = NEXT;
    assert.equal((await browser.signIn()).status, 200);
  });

  await t.test('a wrong current one makes the next try wait, here and at the sign-in page', async () => {
    const guess = () => change({ password: 'ten warm stones in sun', current: 'a guess at random' });
    assert.equal((await guess()).code, 'bad-request');
    clock.shift(60_000);
    assert.equal((await guess()).code, 'bad-request');
    assert.equal((await guess()).code, 'too-much');
    assert.equal((await change({ password: 'ten warm stones in sun', current: NEXT })).code, 'too-much');
    assert.equal((await browser.signIn()).code, 'too-much');
    clock.shift(60_000);
    assert.equal((await browser.signIn()).status, 200);
  });

  await t.test(
    'a passkey that was just given resets one that is forgotten; an old one, or one made in this session, does not',
    async () => {
      const passkey = new SoftwarePasskey(relyingPartyOf(url));
      const asked = passkeyAsked.parse((await browser.ask('POST', '/v1/account/passkeys/begin', {})).value);
      const credential = passkey.create(asked);
      const added = await browser.ask('POST', '/v1/account/passkeys', { ceremony: asked.ceremony, credential });
      assert.equal(added.status, 200, added.text);
      const reset = 'ten warm stones in sun';
      assert.equal((await change({ password: reset })).code, 'bad-request', 'it was made in this session');
      const giveIt = async () => {
        const use = passkeyUseAsked.parse((await browser.ask('POST', '/v1/step-up/passkey/begin', {})).value);
        const given = { ceremony: use.ceremony, assertion: passkey.get(use) };
        assert.equal((await browser.ask('POST', '/v1/step-up/passkey', given)).status, 200);
      };
      await giveIt();
      assert.equal((await change({ password: reset })).code, 'bad-request', 'given again, in the session that made it');
      clock.shift(60_000);
      assert.equal((await browser.signIn()).status, 200);
      await giveIt();
      clock.shift(16 * 60_000);
      const factor = { kind: 'totp', code: browser.code() };
      assert.equal((await browser.ask('POST', '/v1/step-up', { factor })).status, 200);
      const again = { kind: 'password', password: NEXT };
      assert.equal((await browser.ask('POST', '/v1/step-up', { factor: again })).status, 200);
      assert.equal((await change({ password: reset })).code, 'bad-request', 'it was given long ago');
      await giveIt();
      assert.equal(
        (await change({ password: reset, current: 'a guess at random' })).code,
        'bad-request',
        'not a wrong one',
      );
      const done = await change({ password: reset });
      assert.equal(done.status, 200, done.text);
    },
  );
});

async function start(t: TestContext) {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock, flags: ['--name', 'localhost'] });
  const house = new TestOrganisation(clock);
  await house.enrol(t, controlPlane);
  const call = { method: 'POST', path: '/v1/members', value: { roles: [{ role: 'owner' }] } } as const;
  const { text } = await sendRaw(controlPlane, signedRaw(house, clock, call));
  const browser = new TestBrowser(controlPlane, clock);
  await browser.accept(memberInvited.parse(JSON.parse(text)));
  await browser.enrol();
  return { browser, clock, url: controlPlane.ready.url };
}
