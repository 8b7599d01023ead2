import assert from 'node:assert/strict';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, test } from 'node:test';
import { silentLog, systemRng as rng } from '@ringfence/base';
import { openStateFolder, systemClock as clock } from '@ringfence/base/platform';
import { epsilonOf, type PrivacyEvent } from '@ringfence/dp/accountant';
import type { Decimal } from '@ringfence/protocol/federation';
import fc from 'fast-check';
import { restoreBackup } from '../backup/restore-backup.ts';
import type { FaultPoint } from '../fault-points.ts';
import { startControlPlaneDouble, type ControlPlaneDouble } from '../fixtures/control-plane-double.fixture.ts';
import { startRig, type CustodianRig } from '../fixtures/custodian-rig.fixture.ts';
import { claimRig, type TestOrganisation } from '../fixtures/organisation.fixture.ts';
import {
  accountOf,
  budgeted,
  debitRig,
  DELTA,
  refusals,
  setRecordBudget,
  settleRig,
  STEP,
} from '../fixtures/privacy.fixture.ts';

const PASSPHRASE = 'correct horse battery staple';
const folder = mkdtempSync(join(tmpdir(), 'rf-privacy-'));
let crashAt: FaultPoint | undefined;
let rig: CustodianRig;
let controlPlane: ControlPlaneDouble;
let organisation: TestOrganisation;

class Crash extends Error {}

before(async () => {
  const fault = (point: FaultPoint): void => {
    if (point !== crashAt) return;
    crashAt = undefined;
    throw new Crash(point);
  };
  [rig, controlPlane] = await Promise.all([startRig({ fault }), startControlPlaneDouble()]);
  organisation = await claimRig(rig, controlPlane);
});
after(async () => {
  await rig.close();
  await controlPlane.close();
  rmSync(folder, { recursive: true, force: true });
});

async function restored(archive: string): Promise<CustodianRig> {
  return startRig({
    prepare: async (state, databaseUrl) => {
      openStateFolder({ path: state, role: 'custodian', version: 1 });
      const vault = { state, sealKeyFile: join(state, 'seal.key'), passphrase: undefined, rng };
      const parts = { clock, rng, log: silentLog, fault: () => {} };
      await restoreBackup({
        ...parts,
        state,
        from: archive,
        passphrase: PASSPHRASE,
        vault,
        databaseUrl,
        registration: undefined,
      });
    },
  });
}

test('a restore never counts less than was done, whatever was done since the archive', async () => {
  const artifact = await budgeted(rig, organisation, { name: 'admissions', epsilon: '0.8' });
  const bare = await budgeted(rig, organisation, { name: 'bare' });
  for (const round of [1, 2]) assert.deepEqual(await refusals(debitRig(rig, artifact, round)), []);
  const archive = join(folder, 'archive');
  await pipeline(await organisation.client.backup({ passphrase: PASSPHRASE }), createWriteStream(archive));
  let rounds = 2;
  while ((await debitRig(rig, artifact, rounds + 1)).allow) rounds += 1;
  const truth = epsilonOf([{ ...STEP, steps: rounds }], DELTA);
  assert.ok(rounds > 4 && truth.least <= 0.8);
  const again = await restored(archive);
  try {
    const client = await again.client(organisation.tls);
    const there = { ...organisation, client };
    const doubted = await accountOf(there, 'admissions');
    assert.deepEqual([doubted.doubt?.cause, doubted.spent?.epsilon, doubted.spent?.left], ['restored', null, 0]);
    assert.deepEqual(await refusals(debitRig(again, artifact, 3)), ['unsettled']);
    assert.deepEqual(await debitRig(again, artifact, 2), { allow: true, again: true }, 'what it knows to be debited');
    const settled = await settleRig(there, 'admissions');
    assert.ok((settled.spent?.epsilon ?? 0) >= truth.least);
    assert.deepEqual([settled.spent?.epsilon, settled.settled?.epsilon], [0.8, '0.8']);
    assert.deepEqual(await refusals(debitRig(again, artifact, 3)), ['budget']);
    const bound = { epsilon: '1' as Decimal, delta: '0.000005' as Decimal };
    await assert.rejects(settleRig(there, 'admissions', bound), { code: 'conflict' }, 'once');
    await setRecordBudget(there, 'bare', '2');
    assert.deepEqual(await refusals(debitRig(again, bare, 1)), ['unsettled'], 'a budget of later settles nothing');
    await settleRig(there, 'bare', bound);
    assert.deepEqual(await refusals(debitRig(again, bare, 1)), []);
    const added = await accountOf(there, 'bare');
    assert.equal(added.spent?.epsilon, 1 + epsilonOf([STEP], DELTA - 0.000005).least);
  } finally {
    await again.close();
  }
});

test('a crash at any step of a debit loses none that got leave, and a second ask debits nothing twice', async () => {
  const artifact = await budgeted(rig, organisation, { name: 'crashing', epsilon: '3' });
  const points = ['debit-before-commit', 'debit-after-commit', 'debit-after-mark'] as const;
  for (const [at, point] of points.entries()) {
    crashAt = point;
    await assert.rejects(debitRig(rig, artifact, at + 1), Crash, point);
    await rig.restart();
    organisation = { ...organisation, client: await rig.client(organisation.tls) };
    const { contracts } = await accountOf(organisation, 'crashing');
    const known = contracts[0]?.rounds ?? 0;
    assert.equal(known, point === 'debit-before-commit' ? at : at + 1, point);
    const answer = await debitRig(rig, artifact, at + 1);
    assert.deepEqual(answer, { allow: true, again: point !== 'debit-before-commit' }, point);
    assert.equal((await accountOf(organisation, 'crashing')).contracts[0]?.rounds, at + 1);
    assert.equal((await accountOf(organisation, 'crashing')).doubt, null);
  }
});

const OPERATIONS = fc.array(
  fc.record({
    on: fc.constantFrom('source', 'copy', 'derived', 'stranger'),
    round: fc.integer({ min: 1, max: 12 }),
    sigma: fc.constantFrom(10, 20, 40),
    q: fc.constantFrom(0.1, 1),
    several: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 20, maxLength: 20 },
);

test('over random histories the ledger is never below the accountant on what got leave, and never falls', async () => {
  let history = 0;
  await fc.assert(
    fc.asyncProperty(OPERATIONS, async (operations) => {
      history += 1;
      const [source, text] = [`source-${history}`, `bytes ${history}`];
      const artifacts = {
        source: await budgeted(rig, organisation, { name: source, epsilon: '2', text }),
        copy: await budgeted(rig, organisation, { name: `copy-${history}`, text }),
        derived: await budgeted(rig, organisation, { name: `derived-${history}` }),
        stranger: await budgeted(rig, organisation, { name: `stranger-${history}`, epsilon: '1' }),
      };
      const { store } = rig.custodian.context;
      const row = { org: organisation.org, artifact: artifacts.derived, source: artifacts.copy };
      await store.withOrg(organisation.org, (tx) =>
        tx
          .insertInto('privacy_lineage')
          .values({ ...row, cause: 'declared', at: 0 })
          .execute(),
      );
      const truth: PrivacyEvent[] = [];
      let before = 0;
      for (const { on, round, sigma, q, several } of operations) {
        const event: PrivacyEvent = { type: 'sampled-gaussian', q, sigma, steps: 1 };
        const asks = Array.from({ length: several }, () => debitRig(rig, artifacts[on], round, { events: [event] }));
        const fresh = (await Promise.all(asks)).filter((each) => each.allow && !each.again);
        assert.ok(fresh.length <= 1, 'asked at once, debited once');
        if (fresh.length === 1 && on !== 'stranger') truth.push(event);
        const { spent } = await accountOf(organisation, source);
        const epsilon = spent?.epsilon ?? Infinity;
        assert.ok(epsilon <= 2 && epsilon >= before - 1e-3, `${before} became ${epsilon}`);
        assert.ok(epsilon >= (truth.length === 0 ? 0 : (epsilonOf(truth, DELTA).pldLower ?? 0)));
        before = epsilon;
      }
    }),
    { numRuns: 3, seed: 11, endOnFailure: true },
  );
});
