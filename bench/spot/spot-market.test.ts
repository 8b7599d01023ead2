import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import { savedShare, type SpotTerms } from './saved-share.ts';
import { enoughCards, SpotMarket, type Tenancy } from './spot-market.ts';

const TENANTS: readonly Tenancy[] = [
  { gpus: 1, from: 0, to: 100 },
  { gpus: 0.5, from: 20, to: 40 },
  { gpus: 1, from: 40, to: 60 },
  { gpus: 0.5, from: 60, to: 70 },
];
const TERMS: SpotTerms = {
  priceShare: 0.3,
  changeoverMs: 180_000,
  checkpointMs: 30_000,
  lookMs: 30_000,
  priorMs: 86_400_000,
  deadlineFactor: 1.5,
};

test('spot is what tenants leave idle, a whole card of it', () => {
  const market = new SpotMarket(TENANTS, 2);
  const at = (ms: number) => market.from(10).at(ms);
  assert.deepEqual(
    [at(0), at(9)],
    [10, 10].map((until) => ({ there: true, until })),
  );
  assert.deepEqual(at(10), { there: false, until: 60 });
  assert.deepEqual(at(60), { there: true, until: Infinity });
  assert.deepEqual(market.seen(0, 80, 1), { ranMs: 30, losses: 1, priorMs: 1 });
  assert.deepEqual(new SpotMarket(TENANTS, 3).from(0).at(50), { there: true, until: Infinity });
  const span = { from: 0, to: 100 };
  const enough = (share: number): number => enoughCards(TENANTS, { share, ...span });
  assert.deepEqual([enough(0.5), enough(0.51), enough(1), enoughCards([], { share: 1, ...span })], [1, 2, 2, 0]);
});

test('a market without a loss saves what spot is cheaper; one without spot costs its checkpoints', () => {
  const jobs = [{ at: 0, workMs: 7_200_000 }];
  const free = savedShare(jobs, new SpotMarket([], 1), { ...TERMS, since: 0 });
  // √(2 · 30 s · 24 h) is 2,277 s: three checkpoints in two hours.
  assert.deepEqual([free.losses, free.late, free.onDemandCost], [0, 0, 7_380_000]);
  assert.equal(Math.round(free.cost), (7_380_000 + 3 * 30_000) * 0.3);
  const full = savedShare(jobs, new SpotMarket([], 0), { ...TERMS, since: 0 });
  assert.equal(full.late, 0);
  assert.ok(full.cost >= 7_380_000 + 90_000);
});

test('no deadline is missed in a market that comes and goes', () => {
  const rng = seededRng('spot market');
  const tenants = Array.from({ length: 400 }, () => {
    const from = randomBelow(rng, 200_000_000);
    return { gpus: 1 + randomBelow(rng, 2), from, to: from + 60_000 + randomBelow(rng, 7_200_000) };
  });
  const jobs = Array.from({ length: 60 }, () => ({
    at: randomBelow(rng, 150_000_000),
    workMs: 3_600_000 + randomBelow(rng, 20_000_000),
  }));
  const share = { share: 0.7, from: 0, to: 200_000_000 };
  const market = new SpotMarket(tenants, enoughCards(tenants, share));
  for (const deadlineFactor of [1.2, 1.5, 2]) {
    const { late, losses, cost, onDemandCost } = savedShare(jobs, market, { ...TERMS, deadlineFactor, since: 0 });
    assert.equal(late, 0);
    assert.ok(losses > 10 && cost < onDemandCost, `${losses} losses, ${cost} of ${onDemandCost}`);
  }
});
