import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createLog } from '@ringfence/base';
import { memberInvited, memberList, sessionList } from '@ringfence/protocol/api';
import { ShiftedClock, startDatabase, startReplica } from '../control-plane.fixture.ts';
import { exchangeRaw, sendRaw, signedRaw } from '../http/raw-request.fixture.ts';
import { TestOrganisation } from '../organisation.fixture.ts';
import { TestBrowser } from '../sessions/test-browser.fixture.ts';

test('members sign in', async (t) => {
  const { controlPlane, clock, house, device, invite, lines } = await start(t);
  const browser = new TestBrowser(controlPlane, clock);
  const officer = new TestBrowser(controlPlane, clock);

  await t.test('an invitation lets one browser in, which can set up factors and nothing else', async () => {
    const invited = await invite([{ role: 'ml-engineer' }]);
    await browser.accept(invited);
    const jobs = await browser.ask('GET', '/v1/jobs');
    assert.deepEqual([jobs.status, jobs.code], [401, 'step-up']);
    const again = new TestBrowser(controlPlane, clock);
    await assert.rejects(again.accept(invited), /401/);
    await browser.enrol();
    assert.equal((await browser.ask('GET', '/v1/jobs')).status, 200);
    assert.equal((await browser.ask('GET', '/v1/members')).code, 'not-authorised');
  });

  await t.test('password and authenticator begin a session, the same step begins no second one', async () => {
    clock.shift(60_000);
    const code = browser.code();
    assert.equal((await browser.signIn()).status, 200);
    clock.shift(2_000);
    const replayed = await browser.signIn({ second: { kind: 'totp', code } });
    assert.deepEqual([replayed.status, replayed.code], [401, 'not-authenticated']);
  });

  await t.test('a recovery code does once, and for no more than one’s own factors', async () => {
    clock.shift(60_000);
    const [code = ''] = browser.codes;
    const second = { kind: 'recovery-code', code: code.toUpperCase() };
    assert.equal((await browser.signIn({ second })).status, 200);
    clock.shift(2_000);
    assert.equal((await browser.signIn({ second })).code, 'not-authenticated');
  });

  await t.test('whatever is wrong is answered alike, and costs the same wait', async () => {
    clock.shift(3_600_000);
    const stranger = new TestBrowser(controlPlane, clock);
    Object.assign(stranger, { signInName: 'abcdefghij', totpUri: browser.totpUri });
    const wrong = [
      () => stranger.signIn(),
      () => browser.signIn({ password: 'another one altogether' }),
      () => browser.signIn({ second: { kind: 'totp', code: '000000' } }),
      () => browser.signIn({ second: { kind: 'recovery-code', code: 'rfb1-aaaa-aaaa-aaaa-aaaa-aaaa' } }),
      () => browser.signIn({ signInName: 'not a name at all' }),
    ];
    const answers = [];
    for (const attempt of wrong) {
      clock.shift(3_600_000);
      answers.push(await attempt());
    }
    assert.deepEqual(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1, JSON.stringify(answers));
    const told = lines.filter((line) => line.includes('POST /v1/sign-in/password')).at(-1) ?? '';
    assert.match(told, /"event":"api.refused","code":"not-authenticated","remote":"[0-9a-f:.]+","route":/);
    for (const typed of ['another one', 'not a name', '000000', 'rfb1'])
      assert.ok(!lines.join('').includes(typed), 'what was typed stands in no log');
    assert.equal(answers[0]?.status, 401);
    clock.shift(3_600_000);
    assert.equal((await browser.signIn()).status, 200, 'the right one is let in after all of them');
  });

  await t.test(
    'the wait of a name doubles, also for a name that nobody has, and of 16 at once one is tried',
    async () => {
      const stranger = new TestBrowser(controlPlane, clock);
      Object.assign(stranger, { signInName: 'zzzzzzzzzz', totpUri: browser.totpUri });
      const body = { signInName: 'zzzzzzzzzz', password: 'wrong', publicKey: stranger.key.publicKey };
      assert.equal((await stranger.knock('/v1/sign-in/password', body)).code, 'not-authenticated');
      for (let waitMs = 1_000; waitMs <= 256_000; waitMs *= 2) {
        clock.shift(waitMs / 2);
        // Time passes in a test, too: short waits may be over by themselves.
        if (waitMs >= 128_000) assert.equal((await stranger.signIn()).code, 'too-much', `before ${waitMs} ms`);
        clock.shift(waitMs / 2);
        assert.equal((await stranger.signIn()).code, 'not-authenticated', `after ${waitMs} ms`);
      }
      clock.shift(512_000);
      const answers = await Promise.all(Array.from({ length: 16 }, () => stranger.knock('/v1/sign-in/password', body)));
      assert.equal(answers.filter(({ status }) => status === 401).length, 1);
      assert.equal(answers.filter(({ code }) => code === 'too-much').length, 15);
    },
  );

  await t.test('the first factor of an officer ends what devices’ keys alone were good for', async () => {
    clock.shift(3_600_000);
    const agent = house.agent.id;
    const drain = () => device('POST', `/v1/agents/${agent}/drain`, { drain: true });
    assert.equal((await drain()).status, 200);
    await officer.accept(await invite([{ role: 'officer' }]));
    await officer.enrol();
    const refused = await drain();
    assert.equal(refused.status, 401);
    assert.deepEqual(refused.error, { ...refused.error, code: 'step-up', level: 2, enough: ['totp', 'passkey'] });
    assert.equal((await device('GET', '/v1/agents')).status, 200, 'what asks level 1 goes on');
    clock.shift(60_000);
    const factor = { kind: 'totp', code: officer.code() };
    assert.equal((await device('POST', '/v1/step-up', { factor })).status, 400, 'whose device it is has to be said');
    const { signInName } = officer;
    assert.equal((await device('POST', '/v1/step-up', { signInName, factor })).status, 200);
    assert.equal((await drain()).status, 200);
    clock.shift(60_000);
    const second = { kind: 'totp', code: browser.code() };
    const stolen = await device('POST', '/v1/step-up', { signInName: browser.signInName, factor: second });
    assert.equal(stolen.status, 401, 'another member’s factor is not good for this device');
    clock.shift(13 * 3_600_000);
    assert.equal((await drain()).status, 401, 'factors age');
    const told = await device('POST', '/v1/step-up', { factor: { kind: 'totp', code: officer.code() } });
    assert.equal(told.status, 200, 'the device is known to be theirs');
  });

  await t.test('members are listed by random ids, and taken out with their sessions', async () => {
    clock.shift(60_000);
    await browser.signIn();
    const listed = memberList.parse((await device('GET', '/v1/members')).value);
    const row = listed.members.find(({ member }) => member === browser.member);
    assert.deepEqual(row?.factors, ['totp', 'password', 'recovery-code']);
    const sessions = sessionList.parse((await device('GET', '/v1/sessions')).value).sessions;
    assert.ok(sessions.some(({ session }) => session === browser.session));
    await device('POST', '/v1/step-up', { factor: { kind: 'totp', code: officer.code() } });
    const removed = await device('POST', `/v1/members/${browser.member}/remove`, {});
    assert.equal(removed.status, 200, removed.text);
    assert.equal((await browser.ask('GET', '/v1/jobs')).status, 401);
    clock.shift(60_000);
    assert.equal((await browser.signIn()).code, 'not-authenticated');
  });

  await t.test('an officer takes no owner out, and the device of a member who is gone is nobody else’s', async () => {
    const owner = new TestBrowser(controlPlane, clock);
    await owner.accept(await invite([{ role: 'owner' }]));
    await owner.enrol();
    clock.shift(60_000);
    await officer.signIn();
    const refused = await officer.ask('POST', `/v1/members/${owner.member}/remove`, {});
    assert.deepEqual([refused.status, refused.code], [403, 'not-authorised']);
    clock.shift(60_000);
    await owner.signIn();
    const removed = await owner.ask('POST', `/v1/members/${officer.member}/remove`, {});
    assert.equal(removed.status, 200, removed.text);
    clock.shift(60_000);
    const factor = { kind: 'totp', code: owner.code() };
    const taken = await device('POST', '/v1/step-up', { signInName: owner.signInName, factor });
    assert.equal(taken.status, 401, taken.text);
  });

  await t.test('every answer carries strict headers', async () => {
    for (const path of ['/v1/control-plane', '/v1/jobs', '/v1/nowhere', '/account']) {
      const { headers } = await exchangeRaw(controlPlane, { method: 'GET', path });
      assert.equal(headers['cache-control'], 'no-store');
      assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['access-control-allow-origin'], undefined);
      assert.match(String(headers['strict-transport-security']), /^max-age=63072000; includeSubDomains$/);
      const type = path === '/account' ? 'text/html' : 'application/json';
      assert.equal(headers['content-type'], `${type}; charset=utf-8`);
    }
    const traced = await exchangeRaw(controlPlane, { method: 'TRACE', path: '/v1/jobs' });
    assert.equal(traced.status, 404);
  });
});

async function start(t: TestContext) {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const lines: string[] = [];
  const log = createLog({ role: 'control-plane', clock, write: (line) => lines.push(line) });
  const controlPlane = await startReplica(t, { databaseUrl: database.url, clock, log });
  const house = new TestOrganisation(clock);
  await house.enrol(t, controlPlane);
  const device = async (method: 'GET' | 'POST', path: string, value?: unknown) => {
    const { status, text } = await sendRaw(
      controlPlane,
      signedRaw(house, clock, { method, path, ...(value === undefined ? {} : { value }) }),
    );
    const parsed: unknown = JSON.parse(text);
    return { status, text, value: parsed, error: (parsed as { error?: object }).error };
  };
  const invite = async (roles: readonly { role: string }[]) =>
    memberInvited.parse((await device('POST', '/v1/members', { roles })).value);
  return { controlPlane, clock, house, device, invite, database, lines };
}
