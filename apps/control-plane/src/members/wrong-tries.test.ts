import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { fromUtf8, newId, silentLog, systemRng, type OrgId } from '@ringfence/base';
import { RecordKey } from '@ringfence/crypto/record';
import { SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import type { TokenId } from '@ringfence/policy/locks';
import { makeRecoveryCode, printRecoveryCode, TOTP_STEP_MS } from '@ringfence/policy/second-factors';
import { openTestStore, ShiftedClock, startDatabase } from '../control-plane.fixture.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { recordEvent } from '../ledger/record-event.ts';
import { OrgChanges } from '../store/org-changes.ts';
import { AddressTries } from './address-tries.ts';
import { hotp } from './hotp.ts';
import { inviteMember, spendInvitation } from './invitations.ts';
import { PasswordHasher } from './password-hasher.ts';
import { signInByPassword } from './sign-in.ts';
import { stepUp } from './step-up.ts';
import { beginTotp, confirmTotp } from './totp.ts';
import { beginTry } from './wrong-tries.ts';

const PASSWORD = 'seven quiet lamps over water';
const ADDRESS = '127.0.0.1';
const HOUR_MS = 3_600_000;

test('a member is told of wrong tries in the change that lets them in', async (t) => {
  const { context, org, member, code, signIn, told, tries, tryWrongly } = await start(t);

  await t.test('which is the only one: a line that is full after it refuses nobody who is in', async () => {
    await tryWrongly(5);
    const { session } = await signIn(onlyOneChange(context));
    assert.deepEqual(await told(), [{ kind: 'wrong-tries', tries: 5, halfRight: false, until: null }]);
    assert.deepEqual(await tries(), []);
    await tryWrongly(5);
    const asker = { session, token: 'tok' as TokenId, member, org, roles: [] };
    const factor = { kind: 'totp', code: code() } as const;
    const { given } = await stepUp(onlyOneChange(context), asker, { body: { factor }, address: ADDRESS });
    assert.ok(given.some(({ kind }) => kind === 'totp'));
    assert.equal((await told()).length, 2);
    assert.deepEqual(await tries(), []);
  });

  await t.test('and not of those before a change that fails, which are told when the next one does not', async () => {
    const before = await told();
    await tryWrongly(5);
    await assert.rejects(signIn(failingChange(context)), /the change fails/);
    assert.deepEqual(await told(), before);
    assert.equal((await tries()).length, 1);
    await signIn(context);
    assert.deepEqual((await told())[0], { kind: 'wrong-tries', tries: 6, halfRight: false, until: null });
  });
});

test('a try is half right by its password or its authenticator’s code alone, not by a recovery code that was only read', async (t) => {
  const { context, signIn, tries } = await start(t);
  const wrong = 'not this one';
  const halfRight = async (typed: Parameters<typeof signIn>[1]): Promise<boolean | undefined> => {
    await assert.rejects(signIn(context, typed), { code: 'not-authenticated' });
    return (await tries())[0]?.half_right;
  };
  assert.equal(await halfRight({ password: wrong, second: () => '000000' }), false);
  const printed = fromUtf8(printRecoveryCode(makeRecoveryCode(systemRng)).expose());
  assert.equal(await halfRight({ password: wrong, second: () => printed, kind: 'recovery-code' }), false);
  assert.equal(await halfRight({ password: wrong }), true);
  await signIn(context);
  assert.equal(await halfRight({ second: () => '000000' }), true);
});

test('a browser’s key that signed in before learns nothing of what is right, and its try is told', async (t) => {
  const { context, signIn, tries, told } = await start(t);
  const { publicKey } = SigningKey.generate(systemRng);
  await signIn(context, { publicKey });
  const refusal = async (typed: Parameters<typeof signIn>[1]): Promise<unknown> =>
    signIn(context, { publicKey, ...typed }).catch(({ code, message }: ControlPlaneError) => [code, message]);
  const usual = ['not-authenticated', 'this does not sign anybody in'];
  assert.deepEqual(await refusal({}), usual);
  assert.deepEqual(await refusal({ password: 'not this one', second: () => '000000' }), usual);
  assert.equal((await tries())[0]?.half_right, true);
  await signIn(context);
  assert.deepEqual(await told(), [{ kind: 'wrong-tries', tries: 2, halfRight: true, until: null }]);
});

test('a try that turns out half right while another is right stays to be told', async (t) => {
  const { context, clock, org, member, tries } = await start(t);
  const right = await beginTry(context, 'anna');
  clock.shift(HOUR_MS);
  const half = await beginTry(context, 'anna');
  await half.wrong(true);
  await context.changes.run(org, (tx) => right.tell(tx, { org, member }));
  await right.right();
  assert.equal((await tries()).length, 1);
});

/** Has room for one change. */
function onlyOneChange(context: ControlPlaneContext): ControlPlaneContext {
  let begun = 0;
  const run: OrgChanges['run'] = async (org, change) => {
    begun += 1;
    if (begun > 1) throw new ControlPlaneError('unavailable', 'the line is full', { next: 'try again' });
    return context.changes.run(org, change);
  };
  return { ...context, changes: { run } as OrgChanges };
}

function failingChange(context: ControlPlaneContext): ControlPlaneContext {
  const run: OrgChanges['run'] = (org, change) =>
    context.changes.run(org, async (tx) => {
      await change(tx);
      throw new Error('the change fails');
    });
  return { ...context, changes: { run } as OrgChanges };
}

/** What is typed in place of what is right, and by which browser. */
interface Typed {
  readonly publicKey?: SigningPublicKey;
  readonly password?: string;
  readonly second?: () => string;
  readonly kind?: 'totp' | 'recovery-code';
}

/** A member with a password and an authenticator. */
async function start(t: TestContext) {
  const { url } = await startDatabase(t);
  const store = await openTestStore(t, url);
  const clock = new ShiftedClock();
  const org: OrgId = newId('org', systemRng);
  const enrolment_key = SigningKey.generate(systemRng).publicKey;
  const organisation = { org, custodian: newId('custodian', systemRng), enrolment_key, registered_at: 1 };
  await store.withSystem('register-organisation', (tx) => tx.insertInto('organisation').values(organisation).execute());
  const context = {
    clock,
    rng: systemRng,
    log: silentLog,
    store,
    changes: new OrgChanges(store, 'one'),
    record: recordEvent(clock, store),
    identity: { records: RecordKey.generate(systemRng) },
    passwords: new PasswordHasher(clock, systemRng),
    addressTries: new AddressTries(clock),
    sessions: { forget: () => {} },
  } as unknown as ControlPlaneContext;
  const { member, signInName, secret } = await inviteMember(context, { org, device: newId('device', systemRng) }, []);
  const hash = await context.passwords.hash(PASSWORD);
  const totp = await store.withOrg(org, async (tx) => {
    await spendInvitation(tx, { secret, now: clock.now() });
    await tx.insertInto('password').values({ member, org, hash, changed_at: clock.now() }).execute();
    return (await beginTotp(context, tx, { org, member })) ?? assert.fail('it began');
  });
  const code = () => hotp(totp, Math.floor(clock.now() / TOTP_STEP_MS));
  assert.ok(await store.withOrg(org, (tx) => confirmTotp(context, tx, member, code())));
  /** After the wait of whatever came before. */
  const signIn = async (by: ControlPlaneContext, typed: Typed = {}) => {
    const { password = PASSWORD, second = code, kind = 'totp' } = typed;
    const { publicKey = SigningKey.generate(systemRng).publicKey } = typed;
    clock.shift(HOUR_MS);
    const body = { signInName, password, second: { kind, code: second() }, publicKey };
    return signInByPassword(by, { body, address: ADDRESS });
  };
  const tryWrongly = async (times: number): Promise<void> => {
    for (let each = 0; each < times; each += 1)
      await assert.rejects(signIn(context, { password: 'not this one', second: () => '000000' }), {
        code: 'not-authenticated',
      });
    clock.shift(HOUR_MS);
  };
  const told = async () => {
    const rows = await store.withOrg(org, (tx) =>
      tx.selectFrom('notice').select('about').orderBy('seq', 'desc').execute(),
    );
    return rows.map(({ about }) => about).filter(({ kind }) => kind === 'wrong-tries');
  };
  const tries = () => store.withSystem('wrong-tries', (tx) => tx.selectFrom('wrong_try').selectAll().execute());
  return { context, clock, org, member, code, signIn, told, tries, tryWrongly };
}
