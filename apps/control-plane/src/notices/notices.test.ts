import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { systemRng, utf8, type SsoProviderId } from '@ringfence/base';
import { sha256Hex, SigningKey } from '@ringfence/crypto/sign';
import { noticeList, passkeyAsked, passkeyUseAsked, type Notice } from '@ringfence/protocol/api';
import { openTestStore, ShiftedClock, startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { sendRaw, signedRaw } from '../http/raw-request.fixture.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { recordEvent } from '../ledger/record-event.ts';
import { forgetStale } from '../members/forget-stale.ts';
import { codeOf, TestOrganisation } from '../organisation.fixture.ts';
import { relyingPartyOf } from '../passkeys/relying-party.ts';
import { SoftwarePasskey } from '../passkeys/software-authenticator.fixture.ts';
import { printCode } from '../registration/print-code.fixture.ts';
import { TestBrowser } from '../sessions/test-browser.fixture.ts';
import { linkIdentity } from '../sign-on/identities.ts';
import { addProvider, removeProvider } from '../sign-on/provider-rows.ts';
import { OrgChanges } from '../store/org-changes.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const FACTOR_GONE = { kind: 'factor-removed', factor: 'sso' };

test('members are told of changes and uses of their own ways in', async (t) => {
  const { clock, ours, theirs, store, party, member, deviceTold } = await start(t);
  const ben = await member('ml-engineer');
  const signIn = async (second = {}): Promise<void> => {
    clock.shift(MINUTE_MS);
    const seen = await ben.signIn(second);
    assert.equal(seen.status, 200, seen.text);
  };
  const begun = (...factors: string[]) => ({ kind: 'session-begun', session: ben.session, factors });
  const added = (factor: string) => ({ kind: 'factor-added', factor });

  await t.test('factors that are added, changed and removed', async () => {
    assert.deepEqual(await kinds(ben), [begun()], 'an invitation begins a session, too');
    await ben.enrol();
    assert.deepEqual((await kinds(ben)).slice(0, 3), ['recovery-code', 'totp', 'password'].map(added));
    const current = ben.password;
    ben.password = 'nine slow herons by the weir';
    assert.equal((await ben.ask('POST', '/v1/account/password', { password: ben.password, current })).status, 200);
    assert.deepEqual((await kinds(ben))[0], added('password'));
    const passkey = await addPasskey(ben, party);
    assert.deepEqual((await kinds(ben))[0], added('passkey'));
    await ben.ask('POST', '/v1/account/passkeys/remove', { credential: passkey.id });
    assert.deepEqual((await kinds(ben))[0], { kind: 'factor-removed', factor: 'passkey' });
  });

  await t.test('sessions by what they began, and recovery codes that are used', async () => {
    const [first, next] = ben.codes;
    await signIn();
    assert.deepEqual((await kinds(ben))[0], begun('password', 'totp'));
    await signIn({ second: { kind: 'recovery-code', code: first } });
    assert.deepEqual((await kinds(ben))[0], begun('password', 'recovery-code'));
    await ben.ask('POST', '/v1/step-up', { factor: { kind: 'recovery-code', code: next } });
    assert.deepEqual((await kinds(ben))[0], { kind: 'recovery-code-used' });
  });

  await t.test('wrong tries, while there are many and when the right one comes', async () => {
    await signIn();
    const before = await kinds(ben);
    for (let tries = 1; tries < 5; tries += 1) {
      await tryWrongly(clock, ben, 'not this one');
      assert.deepEqual(await kinds(ben), before, 'fewer are slips');
    }
    await tryWrongly(clock, ben, 'not this one');
    const [many] = await kinds(ben);
    assert.ok(many?.kind === 'wrong-tries' && !many.halfRight && many.tries === 5);
    assert.ok((many.until ?? 0) > clock.now(), 'no other one counts before');
    clock.shift(3 * DAY_MS);
    await forgetStale({ store, clock });
    await signIn();
    const told = { kind: 'wrong-tries', tries: 5, halfRight: false, until: null };
    assert.deepEqual((await kinds(ben)).slice(0, 3), [told, begun('password', 'totp'), before[0]]);
  });

  await t.test('a single wrong try that had the right password', async () => {
    await tryWrongly(clock, ben, ben.password);
    const [half] = await kinds(ben);
    assert.ok(half?.kind === 'wrong-tries' && half.halfRight && half.tries === 1);
    await signIn();
    const [newest] = await told(ben);
    assert.deepEqual(newest?.about, { kind: 'wrong-tries', tries: 1, halfRight: true, until: null });
    const change = 'change your password and authenticator if that was not you';
    assert.equal(newest.text, `you were let in after a wrong try; it had one right factor: ${change}`);
  });

  await t.test('a passkey that may exist twice', async () => {
    const [passkey, other] = [await addPasskey(ben, party), new TestBrowser(ours.target, clock)];
    for (const counter of [7, 1]) {
      const { publicKey } = SigningKey.generate(systemRng);
      const asked = passkeyUseAsked.parse((await other.knock('/v1/sign-in/passkey/begin', { publicKey })).value);
      const assertion = passkey.get(asked, { counter });
      await other.knock('/v1/sign-in/passkey', { ceremony: asked.ceremony, assertion, publicKey });
    }
    assert.deepEqual((await kinds(ben))[0], { kind: 'passkey-suspended' });
  });

  await t.test('a device that becomes a member’s, which is told from then on what they are', async () => {
    assert.deepEqual(await deviceTold(ours), [], 'nobody’s device');
    const stepUp = async () => {
      clock.shift(MINUTE_MS);
      const value = { signInName: ben.signInName, factor: { kind: 'totp', code: ben.code() } };
      return sendRaw(ours.target, signedRaw(ours.house, clock, { method: 'POST', path: '/v1/step-up', value }));
    };
    assert.equal((await stepUp()).status, 200);
    assert.equal((await stepUp()).status, 200);
    const [newest] = await deviceTold(ours);
    assert.deepEqual(
      newest?.about,
      { kind: 'device-stepped-up', device: ours.house.device.id },
      'the first time alone',
    );
    assert.deepEqual(await told(ben), await deviceTold(ours));
  });

  await t.test('nobody else is told any of it', async () => {
    const anna = await member('officer');
    assert.deepEqual(await kinds(anna), [{ kind: 'session-begun', session: anna.session, factors: [] }]);
    assert.deepEqual(await deviceTold(theirs), []);
  });
});

test('officers and owners are told of what waits and of what ends soon', async (t) => {
  const { clock, ours, theirs, member, deviceTold, setRole } = await start(t);
  const { client, house } = ours;
  const officers = async () => (await deviceTold(ours)).map(({ about }) => about);

  await t.test('an invitation that nobody accepts, in the second half of its time', async () => {
    const { invitation, member: invited, expires } = await client.inviteMember({ roles: [{ role: 'read-only' }] });
    assert.deepEqual(await officers(), []);
    clock.shift(1.6 * DAY_MS);
    const what = { kind: 'invitation', invitation, member: invited };
    assert.deepEqual(await officers(), [{ kind: 'ends-soon', what, until: expires }]);
    clock.shift(1.5 * DAY_MS);
    assert.deepEqual(await officers(), [], 'it has ended');
  });

  await t.test('a key of a service account, two weeks before', async () => {
    const { publicKey } = SigningKey.generate(systemRng);
    const roles = [{ role: 'read-only' as const }];
    const { account, key, ends } = await client.addServiceAccount({ roles, key: { publicKey, days: 90 } });
    clock.shift(75 * DAY_MS);
    assert.deepEqual(await officers(), []);
    clock.shift(2 * DAY_MS);
    const [about] = await officers();
    assert.deepEqual(about, { kind: 'ends-soon', what: { kind: 'account-key', key, account }, until: ends });
    await client.removeServiceAccount(account);
    assert.deepEqual(await officers(), []);
  });

  await t.test('what a lone officer wants: to every officer, and to nobody else', async () => {
    const [officer, engineer] = [await member('officer'), await member('ml-engineer')];
    const lock = await client.locks.set({ kind: 'agent', agent: house.agent.id });
    const { done } = await client.locks.agree(lock.lock, 'lift', lock.term);
    assert.equal(done, false);
    const [asked] = await deviceTold(ours);
    const waits = asked?.about;
    assert.ok(waits?.kind === 'waits' && waits.lock === lock.lock && waits.wants === 'lift');
    assert.ok(asked !== undefined && asked.at <= clock.now() && asked.at > clock.now() - MINUTE_MS, 'since when');
    const day = clock.now() + DAY_MS;
    assert.ok(waits.until !== null && waits.until <= day && waits.until > day - MINUTE_MS, 'it says until when');
    assert.ok((await kinds(officer)).some(({ kind }) => kind === 'waits'));
    assert.ok(!(await kinds(engineer)).some(({ kind }) => kind === 'waits'));
    assert.deepEqual(await deviceTold(theirs), []);
    // Until it is told nothing, which a device with another role is.
    await setRole('ml-engineer');
  });
});

test('a notice stands and falls with its change, is kept for 90 days, and a hundred are shown', async (t) => {
  const { clock, ours, store, member } = await start(t);
  const ben = await member('ml-engineer');
  const { org } = ours.house;
  const record = recordEvent(clock, store);
  const event = { type: 'factor-removed', member: ben.member ?? assert.fail(), factor: 'totp' } as const;
  const failed = store.withOrg(org, async (tx) => {
    await record(tx, org, event);
    throw new Error('the change fails');
  });
  await assert.rejects(failed, /the change fails/);
  assert.equal((await told(ben)).length, 1);
  for (let each = 0; each < 120; each += 1) await store.withOrg(org, (tx) => record(tx, org, event));
  const all = await told(ben);
  assert.equal(all.length, 100);
  assert.equal(new Set(all.map(({ id }) => id)).size, 100);
  const kept = () => store.withOrg(org, (tx) => tx.selectFrom('notice').select('seq').execute());
  clock.shift(89 * DAY_MS);
  await forgetStale({ store, clock });
  assert.equal((await kept()).length, 121);
  clock.shift(2 * DAY_MS);
  await forgetStale({ store, clock });
  assert.deepEqual(await kept(), []);
});

test('who was linked to an identity provider that is taken away is told', async (t) => {
  const { clock, ours, store, member } = await start(t);
  const [linked, other] = [await member('ml-engineer'), await member('ml-engineer')];
  const { org, device } = ours.house;
  const changes = new OrgChanges(store, 'test');
  const record = recordEvent(clock, store);
  const context = { clock, rng: systemRng, changes, record } as unknown as ControlPlaneContext;
  const wisher = { org, device: device.id };
  const [provider, kept] = [await addAt('https://127.0.0.1:9'), await addAt('https://127.0.0.1:10')];
  await link(linked, provider);
  await link(linked, kept);
  await link(other, kept);
  assert.ok(await removeProvider(context, wisher, provider));
  const [removed, begun, ...more] = await told(linked);
  assert.deepEqual([removed?.about, begun?.about.kind, more], [FACTOR_GONE, 'session-begun', []]);
  assert.match(removed?.text ?? '', /^an identity provider was taken away/);
  assert.deepEqual(
    (await kinds(other)).map(({ kind }) => kind),
    ['session-begun'],
  );

  function addAt(issuer: string) {
    const terms = {
      issuer,
      clientId: 'ringfence',
      secret: null,
      algorithms: ['ES256'],
      assures: 1,
      acr: null,
    } as const;
    return addProvider(context, wisher, terms);
  }

  async function link(browser: TestBrowser, at: SsoProviderId): Promise<void> {
    const identity = { provider: at, subject: sha256Hex(utf8(`${at} ${browser.signInName}`)) };
    const whose = { org, member: browser.member ?? assert.fail(), now: clock.now() };
    assert.ok(await store.withOrg(org, (tx) => linkIdentity(tx, identity, whose)));
  }
});

async function told(browser: TestBrowser): Promise<Notice[]> {
  const { status, value, text } = await browser.ask('GET', '/v1/notices');
  assert.equal(status, 200, text);
  return noticeList.parse(value).notices;
}

async function kinds(browser: TestBrowser): Promise<Notice['about'][]> {
  return (await told(browser)).map(({ about }) => about);
}

/** A try from another browser, with a code that is wrong. */
async function tryWrongly(clock: ShiftedClock, browser: TestBrowser, password: string): Promise<void> {
  clock.shift(MINUTE_MS);
  const { publicKey } = SigningKey.generate(systemRng);
  const second = { kind: 'totp', code: '000000' };
  const { signInName } = browser;
  const { status } = await browser.knock('/v1/sign-in/password', { signInName, password, second, publicKey });
  assert.equal(status, 401);
}

async function addPasskey(browser: TestBrowser, party: ReturnType<typeof relyingPartyOf>): Promise<SoftwarePasskey> {
  const passkey = new SoftwarePasskey(party);
  const asked = passkeyAsked.parse((await browser.ask('POST', '/v1/account/passkeys/begin', {})).value);
  const credential = passkey.create(asked);
  const seen = await browser.ask('POST', '/v1/account/passkeys', { ceremony: asked.ceremony, credential });
  assert.equal(seen.status, 200, seen.text);
  return passkey;
}

/** Two organisations at one control plane; their devices are nobody's yet. */
async function start(t: TestContext) {
  const database = await startDatabase(t);
  const clock = new ShiftedClock();
  const target = await startReplica(t, { databaseUrl: database.url, clock, flags: ['--name', 'localhost'] });
  const enrol = async (code: string) => {
    const house = new TestOrganisation(clock);
    return { house, target, ...(await house.enrol(t, target, code)) };
  };
  const ours = await enrol(codeOf(target));
  const theirs = await enrol(await printCode(t, target, database.url));
  const deviceTold = async ({ house }: typeof ours): Promise<Notice[]> => {
    const { text } = await sendRaw(target, signedRaw(house, clock, { method: 'GET', path: '/v1/notices' }));
    return noticeList.parse(JSON.parse(text)).notices;
  };
  const member = async (role: 'ml-engineer' | 'officer'): Promise<TestBrowser> => {
    const browser = new TestBrowser(target, clock);
    await browser.accept(await ours.client.inviteMember({ roles: [{ role }] }));
    return browser;
  };
  const setRole = async (role: 'ml-engineer'): Promise<void> => {
    const { id: device } = ours.house.device;
    await ours.custodian.send({ name: 'device-roles', body: { device, keyringSeq: 10, roles: [{ role }] } });
    await until('the role counts', async () => (await deviceTold(ours)).length === 0);
  };
  const store = await openTestStore(t, database.url);
  return { clock, ours, theirs, store, member, deviceTold, setRole, party: relyingPartyOf(target.ready.url) };
}
