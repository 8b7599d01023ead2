import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { startDatabase, startReplica, until } from '../control-plane.fixture.ts';
import { memberOf, newAgent, offerOf, TestOrganisation } from '../organisation.fixture.ts';
import { spotUnderDeadline } from './spot-under-deadline.ts';

const NOW = epochMs(1_800_000_000_000);
const HOUR_MS = 3_600_000;
/** A lost lease, a start, and a look. */
const CHANGE_MS = 120_000;
const LOOK_MS = 10_000;

function narrowed(change: Partial<PlacementPart>): PlacementPart['spot'] {
  const placement = { ...SAMPLE_PLACEMENT, ...change };
  const label = { sensitivity: 'public', residency: [] } as const;
  return spotUnderDeadline({ placement, label, now: NOW }).placement.spot;
}

test('spot is taken while a loss at its last moment leaves time for all of the work on demand, and then no more', () => {
  const least = 2 * HOUR_MS + 2 * CHANGE_MS + LOOK_MS;
  const within = (ms: number): Partial<PlacementPart> => ({ maxDurationMs: HOUR_MS, deadline: epochMs(NOW + ms) });
  assert.equal(narrowed(within(least)), 'auto');
  assert.equal(narrowed(within(least - 1)), 'never');
  assert.equal(narrowed(within(-1)), 'never');
  assert.equal(narrowed({ ...within(0), spot: 'only' }), 'only', 'its owner said so');
  assert.equal(narrowed({ maxDurationMs: HOUR_MS }), 'auto', 'without a deadline nothing is late');
});

test('a job that is lost on spot at any moment, and then runs on demand to its longest, is in time', () => {
  const times = fc.record({
    maxDurationMs: fc.integer({ min: 1_000, max: 100 * HOUR_MS }),
    left: fc.integer({ min: 0, max: 400 * HOUR_MS }),
    ran: fc.nat(),
  });
  let onSpot = 0;
  fc.assert(
    fc.property(times, ({ maxDurationMs, left, ran }) => {
      if (narrowed({ maxDurationMs, deadline: epochMs(NOW + left) }) !== 'auto') return;
      onSpot += 1;
      const lostAt = CHANGE_MS + (ran % (maxDurationMs + 1));
      assert.ok(lostAt + LOOK_MS + CHANGE_MS + maxDurationMs <= left);
    }),
    { numRuns: 2_000 },
  );
  assert.ok(onSpot > 500);
});

test('a plan and a job that waits are refused spot machines by a deadline that is near, and not by one that is far', async (t) => {
  const controlPlane = await startReplica(t, { databaseUrl: (await startDatabase(t)).url });
  const house = new TestOrganisation();
  const { client, custodian } = await house.enrol(t, controlPlane);
  const spot = newAgent();
  await custodian.send(memberOf(spot));
  const there = house.dial(t, controlPlane, spot);
  const price = { microUnits: 1_000_000, currency: 'EUR' };
  await there.send(offerOf(spot, { tier: 'secure-cloud', spot: true, price }));
  await until('both offers', async () => (await client.offers()).length === 2);
  const evidence: PlacementPart['evidence'] = { require: [], grade: 'documented', maxAgeDays: 365 };
  const refused = async (deadlineMs: number): Promise<unknown[]> => {
    const deadline = epochMs(house.clock.now() + deadlineMs);
    const submission = house.submission({ placement: { tiers: ['secure-cloud'], evidence, deadline } });
    const { job } = await client.submit(submission);
    const plan = await client.plan({ placement: submission.placement, sensitivity: 'internal' });
    const answers = [plan, await client.why(job)];
    return answers.map(({ failed }) => failed.find(({ constraint }) => constraint === 'spot')?.count);
  };
  assert.deepEqual(await refused(2 * HOUR_MS), [1, 1]);
  assert.deepEqual(await refused(3 * HOUR_MS), [undefined, undefined]);
});
