import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemRng } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { accountView, memberInvited, sessionList } from '@ringfence/protocol/api';
import { ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { exchangeRaw, sendRaw, signedRaw, type RawRequest } from '../http/raw-request.fixture.ts';
import type { RunningControlPlane } from '../start.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { TestBrowser, type Dishonest } from './test-browser.fixture.ts';

test('a session is a cookie and a signature, here and at another replica', async (t) => {
  const { one, two, clock, ours, theirs, signedIn } = await start(t);
  const browser = await signedIn(one, ours);
  const other = await signedIn(one, ours);
  const foreign = await signedIn(one, theirs);
  const status = async (dishonest: Dishonest, method: 'GET' | 'POST' = 'GET') => {
    const [path, value] = method === 'GET' ? ['/v1/account'] : ['/v1/account/recovery-codes', {}];
    const { status: code, code: word } = await browser.ask(method, path ?? '', value, dishonest);
    return `${code} ${word ?? ''}`;
  };

  await t.test('whatever is not both is refused', async () => {
    const refused = '401 not-authenticated';
    assert.equal(await status({}), '200 ');
    const ways: Record<string, Dishonest> = {
      'the signature alone': { cookie: undefined },
      'another session’s cookie': { cookie: other.cookie },
      'another organisation’s cookie': { cookie: foreign.cookie },
      'a cookie of nobody': { cookie: `__Host-rf=${'A'.repeat(43)}` },
      'two cookies': { cookie: `${browser.cookie}; ${other.cookie}` },
      'a cookie with another name': { cookie: browser.cookie.replace('__Host-rf', 'rf') },
      'another key': { key: SigningKey.generate(systemRng) },
      'another session’s key': { key: other.key },
      'another session’s name': { as: other.session ?? assert.fail() },
      'another session’s name and cookie': { as: other.session ?? assert.fail(), cookie: other.cookie },
      'an old signature': { createdAgo: 70 },
      'a signature of later': { createdAgo: -70 },
    };
    for (const [name, dishonest] of Object.entries(ways))
      for (const method of ['GET', 'POST'] as const)
        assert.equal(await status(dishonest, method), refused, `${name}, ${method}`);
    const { cookie } = browser;
    const bare = await sendRaw(one, { method: 'GET', path: '/v1/account', headers: { cookie } });
    assert.equal(bare.status, 401, 'the cookie alone');
    const bearer = { authorization: `Bearer ${cookie.split('=')[1]}` };
    assert.equal((await sendRaw(one, { method: 'GET', path: '/v1/account', headers: bearer })).status, 401);
  });

  await t.test('what a page of another site sends is refused, signed or not', async () => {
    const across = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
      { origin: one.ready.url.replace('https:', 'http:') },
    ];
    for (const headers of across)
      for (const method of ['GET', 'POST'] as const)
        assert.equal(await status({ headers }, method), '403 cross-site', JSON.stringify(headers));
    const { origin } = new URL(one.ready.url);
    assert.equal(await status({ headers: { origin, 'sec-fetch-site': 'same-origin' } }), '200 ');
    assert.equal(await status({ headers: { 'sec-fetch-site': 'none' } }), '200 ', 'typed into the address bar');
    assert.equal(await status({ headers: { 'sec-fetch-site': 'none' } }, 'POST'), '403 cross-site');
    const knock = await browser.knock('/v1/sign-in/invitation', {}, { 'sec-fetch-site': 'cross-site' });
    assert.equal(knock.code, 'cross-site', 'nobody is signed in as somebody else from afar');
  });

  await t.test('the bytes of a change are taken once, at both replicas together', async () => {
    const request = browser.request('POST', '/v1/account/recovery-codes', {});
    const sent = Array.from({ length: 16 }, (_, at) => sendRaw(at % 2 === 0 ? one : two, request));
    const statuses = (await Promise.all(sent)).map((answer) => answer.status);
    assert.deepEqual(
      [statuses.filter((code) => code === 200).length, statuses.filter((code) => code === 401).length],
      [1, 15],
    );
  });

  await t.test('a member reaches nothing of a device’s, and nothing of another organisation', async () => {
    const submitted = await browser.ask('POST', '/v1/jobs', ours.submission());
    assert.deepEqual([submitted.status, submitted.code], [403, 'not-authorised']);
    const ended = await foreign.ask('POST', `/v1/sessions/${browser.session}/end`, {});
    assert.deepEqual([ended.status, ended.value], [200, { ended: 0 }]);
    const removed = await foreign.ask('POST', `/v1/members/${browser.member}/remove`, {});
    assert.equal(removed.status, 404);
    const seen = sessionList.parse((await foreign.ask('GET', '/v1/sessions')).value).sessions;
    assert.deepEqual(
      seen.map(({ member }) => member),
      [foreign.member],
    );
    const stranger = await foreign.ask('POST', `/v1/account/sessions/${browser.session}/end`, {});
    assert.deepEqual(stranger.value, { ended: 0 });
    assert.equal(await status({}), '200 ');
  });

  await t.test(
    'a session that is ended at one replica changes nothing at the other, and soon reads nothing',
    async () => {
      const at = (target: RunningControlPlane, request: RawRequest) => sendRaw(target, request);
      assert.equal((await at(two, browser.request('GET', '/v1/account'))).status, 200, 'it is in the memory of both');
      await other.ask('POST', `/v1/account/sessions/${browser.session}/end`, {});
      assert.equal(await status({}), '200 ', 'another member’s sessions are not one’s own to end');
      assert.equal((await other.ask('POST', `/v1/sessions/${browser.session}/end`, {})).status, 200);
      assert.equal((await at(two, browser.request('POST', '/v1/account/recovery-codes', {}))).status, 401);
      assert.equal((await at(one, browser.request('GET', '/v1/account'))).status, 401);
      clock.shift(1_000);
      assert.equal((await at(two, browser.request('GET', '/v1/account'))).status, 401);
    },
  );

  await t.test('a session ends after 30 minutes without use, and after 12 hours with it', async () => {
    const idle = await signedIn(one, ours);
    const busy = await signedIn(one, ours);
    for (let minutes = 0; minutes < 12 * 60; minutes += 25) {
      assert.equal((await busy.ask('GET', '/v1/account')).status, 200, `after ${minutes} minutes`);
      if (minutes === 50) assert.equal((await idle.ask('GET', '/v1/account')).status, 401);
      clock.shift(25 * 60_000);
    }
    assert.equal((await busy.ask('GET', '/v1/account')).status, 401);
  });

  await t.test('signing out takes the cookie away and ends the session', async () => {
    const leaving = await signedIn(one, ours);
    const request = leaving.request('POST', '/v1/sign-out', {});
    const { headers, status: code } = await exchangeRaw(one, request);
    assert.equal(code, 200);
    assert.deepEqual(headers['set-cookie'], ['__Host-rf=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict']);
    assert.equal((await leaving.ask('GET', '/v1/account')).status, 401);
  });

  await t.test('a new password ends the other sessions of its member, and no one else’s', async () => {
    const first = await signedIn(one, ours);
    const bystander = await signedIn(one, ours);
    const second = Object.assign(new TestBrowser(one, clock), {
      signInName: first.signInName,
      totpUri: first.totpUri,
      password: first.password,
    });
    clock.shift(60_000);
    assert.equal((await second.signIn()).status, 200);
    assert.equal((await second.ask('POST', '/v1/account/password', { password: 'short' })).status, 400);
    assert.equal((await second.ask('POST', '/v1/account/password', { password: 'Password-1234' })).code, 'bad-request');
    const body = { password: 'a much longer one than that', current: second.password };
    const changed = await second.ask('POST', '/v1/account/password', body);
    assert.equal(changed.status, 200, changed.text);
    assert.equal((await first.ask('GET', '/v1/account')).status, 401);
    assert.equal((await bystander.ask('GET', '/v1/account')).status, 200);
  });

  await t.test('a lock on a member, or on one session, cuts it off at both replicas', async () => {
    const officer = await signedIn(one, ours);
    const hasty = await officer.ask('POST', '/v1/locks', { target: { kind: 'member', member: officer.member } });
    assert.deepEqual([hasty.status, hasty.code], [403, 'not-authorised'], 'who just came in is nobody’s second yet');
    clock.shift(86_400_000);
    assert.equal((await officer.signIn()).status, 200);
    const member = await signedIn(one, ours, 'read-only');
    const session = await signedIn(one, ours, 'read-only');
    const targets = [
      [member, { kind: 'member', member: member.member }],
      [session, { kind: 'token', token: session.session }],
    ] as const;
    for (const [cut, target] of targets) {
      assert.equal((await sendRaw(two, cut.request('GET', '/v1/account'))).status, 200);
      const set = await officer.ask('POST', '/v1/locks', { target });
      assert.equal(set.status, 200, set.text);
      const refused = await cut.ask('GET', '/v1/account');
      assert.deepEqual([refused.status, refused.code], [403, 'locked']);
      await until('the other replica has heard', async () => {
        const { status: code } = await sendRaw(two, cut.request('GET', '/v1/account'));
        return code === 403;
      });
      assert.equal((await sendRaw(two, cut.request('POST', '/v1/sign-out', {}))).status, 403);
    }
    assert.equal((await officer.ask('GET', '/v1/account')).status, 200);
  });

  await t.test('what a device was given counts for that device alone, and roles are the member’s', async () => {
    const { value } = await (await signedIn(one, ours, 'read-only')).ask('GET', '/v1/account');
    const view = accountView.parse(value);
    assert.deepEqual([view.roles, view.mode, view.level], [[{ role: 'read-only' }], 'factors', 2]);
    const device = await sendRaw(one, signedRaw(ours, clock, { method: 'GET', path: '/v1/account' }));
    const standing = accountView.parse(JSON.parse(device.text));
    const kinds = standing.given.map(({ kind }) => kind);
    assert.deepEqual([kinds, standing.level, standing.session], [['totp'], 2, null]);
    assert.notEqual(standing.member, view.member);
  });
});

async function start(t: TestContext) {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const one = await startReplica(t, { databaseUrl: database.url, clock });
  const keys = join(dirname(one.ready['registration_code_file'] ?? ''), 'keys');
  const two = await startReplica(t, { databaseUrl: database.url, clock, keys });
  const [ours, theirs] = [new TestOrganisation(clock), new TestOrganisation(clock)];
  await ours.enrol(t, one, codeOf(one));
  await theirs.enrol(t, one, await printCode(t, one, database.url));
  const signedIn = async (at: RunningControlPlane, house: TestOrganisation, role = 'owner'): Promise<TestBrowser> => {
    const call = { method: 'POST', path: '/v1/members', value: { roles: [{ role }] } } as const;
    let answer = await sendRaw(at, signedRaw(house, clock, call));
    if (answer.status === 401) {
      // An owner has factors by now: the device has to be surer, too.
      const stepper = steppers.get(house) ?? assert.fail('somebody stepped up before');
      clock.shift(60_000);
      const value = { signInName: stepper.signInName, factor: { kind: 'totp', code: stepper.code() } };
      const stepped = await sendRaw(at, signedRaw(house, clock, { method: 'POST', path: '/v1/step-up', value }));
      assert.equal(stepped.status, 200, stepped.text);
      answer = await sendRaw(at, signedRaw(house, clock, call));
    }
    const browser = new TestBrowser(at, clock);
    await browser.accept(memberInvited.parse(JSON.parse(answer.text)));
    await browser.enrol();
    if (!steppers.has(house)) steppers.set(house, browser);
    return browser;
  };
  const steppers = new Map<TestOrganisation, TestBrowser>();
  return { one, two, clock, ours, theirs, signedIn };
}
