import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ManualClock, newId, silentLog, systemRng, type MemberId, type OrgId, type Secret } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { RecordKey } from '@ringfence/crypto/record';
import { SigningKey } from '@ringfence/crypto/sign';
import { TOTP_STEP_MS } from '@ringfence/policy/second-factors';
import { openTestStore, ShiftedClock, startDatabase } from '../control-plane.fixture.ts';
import { recordEvent } from '../ledger/record-event.ts';
import { beginSession } from '../sessions/begin-session.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { OrgChanges } from '../store/org-changes.ts';
import { hotp } from './hotp.ts';
import { inviteMember, spendInvitation } from './invitations.ts';
import { digestOfTyped, makeRecoveryCodes, spendRecoveryCode } from './recovery-codes.ts';
import { keep } from './step-up.ts';
import { beginTotp, confirmTotp, matchCode, spendTotp } from './totp.ts';
import { beginTry } from './wrong-tries.ts';

const ROUNDS = process.env['RINGFENCE_TEST_FULL'] === '1' ? 200 : 3;
const AT_ONCE = 64;

test('what counts once has one winner, however many try at once at two replicas', async (t) => {
  const { stores, org, officer, clock, context, member } = await start(t);
  /** How many of 64 tries, half of them at each replica, succeed. */
  const winners = async (attempt: (tx: Tx) => Promise<unknown>): Promise<number> => {
    const tries = Array.from({ length: AT_ONCE }, (_, index) => stores[index % 2 === 0 ? 0 : 1].withOrg(org, attempt));
    const won = await Promise.all(tries);
    return won.filter((each) => each !== undefined && each !== false).length;
  };

  await t.test('a step of an authenticator', async () => {
    const { secret, stored } = await enrolled(stores[0], { context, org, member });
    for (let round = 0; round < ROUNDS; round += 1) {
      clock.shift(2 * TOTP_STEP_MS);
      const code = hotp(secret, Math.floor(clock.now() / TOTP_STEP_MS));
      const matched = matchCode(context, stored, code) ?? assert.fail('the code fits');
      assert.equal(await winners((tx) => spendTotp(tx, matched)), 1, `round ${round}`);
    }
  });

  await t.test('a recovery code', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const [code = ''] = await stores[0].withOrg(org, (tx) => makeRecoveryCodes(context, tx, { org, member }));
      const digest = digestOfTyped(member, code) ?? assert.fail('it reads');
      assert.equal(await winners((tx) => spendRecoveryCode(tx, { member, digest, now: 1 })), 1, `round ${round}`);
    }
  });

  await t.test('a recovery code of before, with 80 bits, until new ones are made', async () => {
    const spent = digestOfTyped(member, 'rfb1-mzxw-6ytb-ojtg-633c-mcqy') ?? assert.fail('it reads');
    const left = digestOfTyped(member, 'RFB1 MFRG GZDF MZTW Q2LK RONP') ?? assert.fail('it reads');
    const rows = [spent, left].map((digest) => ({ member, org, digest, set_id: 'before', made_at: clock.now() }));
    await stores[0].withOrg(org, (tx) => tx.insertInto('recovery_code').values(rows).execute());
    assert.equal(await winners((tx) => spendRecoveryCode(tx, { member, digest: spent, now: 1 })), 1);
    await stores[0].withOrg(org, (tx) => makeRecoveryCodes(context, tx, { org, member }));
    assert.equal(await winners((tx) => spendRecoveryCode(tx, { member, digest: left, now: 1 })), 0);
  });

  await t.test('an invitation', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { secret } = await inviteMember(context, officer, [{ role: 'read-only' }]);
      const now = clock.now();
      assert.equal(await winners((tx) => spendInvitation(tx, { secret, now })), 1, `round ${round}`);
    }
  });

  await t.test('a browser’s key', async () => {
    const quiet = { clock, rng: systemRng, record: async () => {} };
    for (let round = 0; round < ROUNDS; round += 1) {
      const { publicKey } = SigningKey.generate(systemRng);
      const begin = (tx: Tx) => beginSession(quiet, tx, { org, member, publicKey, factors: [] });
      const won = await winners((tx) =>
        begin(tx).catch((error: { code?: string }) => (error.code === 'conflict' ? undefined : Promise.reject(error))),
      );
      assert.equal(won, 1, `round ${round}`);
    }
    const open = await stores[0].withOrg(org, (tx) =>
      tx.selectFrom('session').select('session').where('member', '=', member).where('ended_at', 'is', null).execute(),
    );
    assert.ok(open.length <= 50);
  });

  await t.test('an authenticator that is confirmed', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const secret = await stores[0].withOrg(org, (tx) => beginTotp(context, tx, { org, member }));
      clock.shift(2 * TOTP_STEP_MS);
      const code = hotp(secret ?? assert.fail('it began'), Math.floor(clock.now() / TOTP_STEP_MS));
      const confirm = (tx: Tx) => confirmTotp(context, tx, member, code);
      assert.equal(await winners((tx) => confirm(tx)), 1, `round ${round}`);
    }
  });

  await t.test('a try of a name before its wait is over', async () => {
    // However long it takes, no time passes.
    const stopped = new ManualClock(clock.now());
    for (let round = 0; round < ROUNDS; round += 1) {
      const tries = Array.from({ length: AT_ONCE }, (_, index) =>
        beginTry({ ...context, clock: stopped, store: stores[index % 2 === 0 ? 0 : 1] }, `name ${round}`),
      );
      const begun = await Promise.allSettled(tries);
      assert.equal(begun.filter(({ status }) => status === 'fulfilled').length, 1, `round ${round}`);
    }
  });

  await t.test('a device that two members step up at once', async () => {
    const other = (await inviteMember(context, officer, [{ role: 'officer' }])).member;
    const quiet = { record: async () => {} };
    for (let round = 0; round < ROUNDS; round += 1) {
      const device = newId('device', systemRng);
      const { publicKey: sign_key } = SigningKey.generate(systemRng);
      const row = { id: device, org, role: 'device', sign_key, keyring_seq: 1 } as const;
      const none = { locked: null, journal_seq: null, journal_hash: null, replica: null, seen_at: null };
      await stores[0].withSystem('register-organisation', (tx) =>
        tx
          .insertInto('party')
          .values({ ...row, ...none })
          .execute(),
      );
      const asker = { device, org, roles: [], keys: { device: sign_key, enrolment: sign_key } };
      const given = { kind: 'totp', at: clock.now(), traits: {} } as const;
      const tries = Array.from({ length: AT_ONCE }, async (_, index) => {
        const whose = index % 4 < 2 ? member : other;
        const kept = await stores[index % 2 === 0 ? 0 : 1].withOrg(org, (tx) =>
          keep(quiet, tx, { asker, member: whose, given }),
        );
        return kept === undefined ? undefined : whose;
      });
      const owners = new Set((await Promise.all(tries)).filter((whose) => whose !== undefined));
      assert.equal(owners.size, 1, `round ${round}`);
    }
  });

  await t.test('of many who begin an authenticator or ask for recovery codes one set counts', async () => {
    const asked = Array.from({ length: AT_ONCE }, (_, index) =>
      stores[index % 2 === 0 ? 0 : 1].withOrg(org, (tx) => makeRecoveryCodes(context, tx, { org, member })),
    );
    await Promise.all(asked);
    const begun = Array.from({ length: AT_ONCE }, (_, index) =>
      stores[index % 2 === 0 ? 0 : 1].withOrg(org, (tx) => beginTotp(context, tx, { org, member })),
    );
    await Promise.all(begun);
    const { codes, open } = await stores[0].withOrg(org, async (tx) => ({
      codes: await tx.selectFrom('recovery_code').selectAll().where('member', '=', member).execute(),
      open: await tx
        .selectFrom('totp')
        .select('totp')
        .where('removed_at', 'is', null)
        .where('confirmed_at', 'is', null)
        .execute(),
    }));
    assert.equal(codes.length, 10);
    assert.equal(new Set(codes.map(({ set_id }) => set_id)).size, 1);
    assert.equal(open.length, 1);
  });
});

async function enrolled(
  store: ControlPlaneStore,
  { context, org, member }: Pick<Awaited<ReturnType<typeof start>>, 'context' | 'org' | 'member'>,
) {
  return store.withOrg(org, async (tx) => {
    const secret: Secret = (await beginTotp(context, tx, { org, member })) ?? assert.fail('it began');
    const code = hotp(secret, Math.floor(context.clock.now() / TOTP_STEP_MS));
    assert.ok(await confirmTotp(context, tx, member, code));
    const stored = await tx
      .selectFrom('totp')
      .select(['totp', 'secret_box', 'last_step'])
      .where('confirmed_at', 'is not', null)
      .where('removed_at', 'is', null)
      .executeTakeFirstOrThrow();
    return { secret, stored };
  });
}

async function start(t: TestContext) {
  const { url } = await startDatabase(t);
  const clock = new ShiftedClock();
  const stores = [await openTestStore(t, url), await openTestStore(t, url)] as const;
  const org: OrgId = newId('org', systemRng);
  await stores[0].withSystem('register-organisation', (tx) =>
    tx
      .insertInto('organisation')
      .values({
        org,
        custodian: newId('custodian', systemRng),
        enrolment_key: SigningKey.generate(systemRng).publicKey,
        registered_at: 1,
      })
      .execute(),
  );
  const context = {
    clock,
    rng: systemRng,
    log: silentLog,
    store: stores[0],
    changes: new OrgChanges(stores[0], 'one'),
    record: recordEvent(systemClock, stores[0]),
    identity: { records: RecordKey.generate(systemRng) } as never,
  };
  const officer = { org, device: newId('device', systemRng) };
  const member: MemberId = (await inviteMember(context, officer, [{ role: 'officer' }])).member;
  return { stores, org, officer, clock, context, member };
}
