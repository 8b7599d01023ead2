import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OfferId } from '@ringfence/base';
import { TIERS } from '@ringfence/protocol';
import { loosenings } from '../placement-limits.ts';
import { bruteForce, naiveFailures } from './brute-force.fixture.ts';
import { Inventory } from './inventory.ts';
import { CONSTRAINTS, type Constraint } from '@ringfence/protocol/statements';
import { bitOf } from './placement-constraints.ts';
import type { PlacementOffer } from './placement-offer.ts';
import { Placer, type Placement } from './placer.ts';
import { NOW, RandomPlacement } from './random-placement.fixture.ts';
import { relaxed } from './relaxation.ts';
import type { PlacementRequest } from './requirement.ts';
import type { Take } from './take.ts';

const DAY = 86_400_000;

/** One inventory that changes while random jobs are placed; the offers as brute force has to see them are kept beside it. */
class Market {
  readonly random: RandomPlacement;
  readonly inventory = new Inventory();
  readonly placer: Placer;
  readonly offers = new Map<OfferId, PlacementOffer>();
  readonly taken: [OfferId, Take][] = [];
  readonly pool: PlacementRequest[];
  now = NOW;

  constructor(seed: string, size: number) {
    this.random = new RandomPlacement(seed);
    // Few caches, so that entries also go and come back.
    this.placer = new Placer(this.inventory, { currency: 'EUR', mostFits: 4, mostTallies: 6 });
    const offers = Array.from({ length: size }, () => this.random.offer());
    for (const offer of offers) this.offers.set(offer.offer, offer);
    this.inventory.load(offers);
    this.pool = Array.from({ length: 6 }, () => this.random.request());
  }

  get list(): PlacementOffer[] {
    return [...this.offers.keys()].map((id) => {
      const { offer, free } = this.inventory.find(id) ?? assert.fail('an offer got lost');
      return { ...offer, free };
    });
  }

  next(): PlacementRequest {
    const request = this.random.rarely(2) ? this.random.pick(this.pool) : this.random.request();
    return { ...request, now: this.now as PlacementRequest['now'] };
  }

  change(): void {
    const { random, inventory, offers } = this;
    const ids = [...offers.keys()];
    const id = ids.length === 0 ? undefined : random.pick(ids);
    const kind = random.below(9);
    if (kind === 0 || id === undefined) this.put(random.offer(this.now));
    else if (kind === 1) {
      inventory.remove(id);
      offers.delete(id);
    } else if (kind === 2) this.put({ ...random.offer(this.now), offer: id });
    else if (kind === 3) {
      inventory.setState(id, { online: !random.rarely(3), locked: false, draining: random.rarely(3) });
    } else if (kind === 4) this.now += random.pick([-3 * DAY, -1, 1, 3_600_000, DAY, 5 * DAY]);
    else if (kind === 5) this.release();
  }

  put(offer: PlacementOffer): void {
    this.inventory.put(offer);
    this.offers.set(offer.offer, offer);
  }

  take({ decision }: Placement): void {
    if (!decision.allow || this.random.rarely(2)) return;
    const { offer, take } = decision.chosen;
    assert.ok(this.inventory.reserve(offer, take), 'what was chosen is there');
    this.taken.push([offer, take]);
  }

  release(): void {
    const last = this.taken.pop();
    if (last !== undefined) this.inventory.release(...last);
  }
}

const CURRENCY = 'EUR';

/** `assert.deepEqual`, which is slow where it finds nothing, only where there is something to find. */
function same(found: unknown, expected: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(expected)) assert.deepEqual(found, expected);
}

function compare(placed: Placement, market: Market, request: PlacementRequest): 'placed' | 'refused' | 'loose' {
  if (loosenings(request.placement, request.label).length > 0) {
    assert.equal(placed.decision.allow, false);
    return 'loose';
  }
  const expected = bruteForce(market.list, request, CURRENCY);
  same(
    placed.top.map(({ offer, score }) => [offer, score]),
    expected.best.slice(0, 5).map(({ offer, score }) => [offer.offer, score]),
  );
  const chosen = placed.decision.allow ? placed.decision.chosen.offer : undefined;
  assert.equal(chosen, expected.best[0]?.offer.offer);
  assert.equal(placed.feasible, expected.feasible);
  assert.equal(placed.considered, market.offers.size);
  assert.equal(placed.inventoryEpoch, market.inventory.epoch);
  compareExplanation(placed, [...expected.failed.values()]);
  return chosen === undefined ? 'refused' : 'placed';
}

function compareExplanation({ explanation }: Placement, failed: (readonly Constraint[])[]): void {
  const counted = (namesOf: (list: readonly Constraint[]) => readonly (Constraint | undefined)[]) => {
    const counts = new Map<Constraint | undefined, number>();
    for (const name of failed.flatMap(namesOf)) counts.set(name, (counts.get(name) ?? 0) + 1);
    return CONSTRAINTS.flatMap((constraint) => {
      const count = counts.get(constraint);
      return count === undefined ? [] : [{ constraint, count }];
    });
  };
  assert.deepEqual(
    explanation.refused,
    counted(([first]) => [first]),
  );
  assert.deepEqual(
    explanation.failed,
    counted((list) => list),
  );
  assert.deepEqual(
    explanation.soleFailures,
    counted((list) => (list.length === 1 ? list : [])),
  );
}

/** Each relaxation is one that the label permits, and brings as many offers as asking again would. */
function recount({ explanation }: Placement, market: Market, request: PlacementRequest): number {
  for (const { giveUp, offers } of explanation.relaxations) {
    const asked = relaxed(
      request,
      giveUp.reduce((mask, constraint) => mask | bitOf(constraint), 0),
    );
    assert.deepEqual(loosenings(asked.placement, asked.label), [], giveUp.join());
    assert.ok(!giveUp.some((constraint) => ['residency', 'site', 'customer-key'].includes(constraint)));
    assert.deepEqual(asked.placement.residency, request.placement.residency);
    const gained = market.list.filter(
      (offer) => naiveFailures(offer, request).length > 0 && naiveFailures(offer, asked).length === 0,
    );
    assert.equal(offers, gained.length, `${giveUp.join('+')} ${JSON.stringify(request)}`);
  }
  return explanation.relaxations.length;
}

describe('the placer', () => {
  it('finds what brute force finds, and explains it as a recount does, in 10,400 random cases on inventories that change', () => {
    const seen = { placed: 0, refused: 0, loose: 0, relaxations: 0 };
    const tiers = new Set<string>();
    for (let run = 0; run < 260; run += 1) {
      const market = new Market(`placer ${run}`, run % 50);
      for (let step = 0; step < 40; step += 1) {
        market.change();
        const request = market.next();
        const placed = market.placer.place(request);
        seen[compare(placed, market, request)] += 1;
        if (step % 4 === 0) seen.relaxations += recount(placed, market, request);
        if (placed.decision.allow) tiers.add(placed.decision.chosen.tier);
        market.take(placed);
      }
    }
    assert.equal(tiers.size, TIERS.length);
    assert.ok(seen.placed > 2_000 && seen.refused > 2_000 && seen.relaxations > 3_000, JSON.stringify(seen));
  });

  it('is as exact where one class fills three levels of bounds', () => {
    const random = new RandomPlacement('levels');
    const market = new Market('levels', 0);
    const offers = Array.from({ length: 2_000 }, (): PlacementOffer => ({
      ...random.offer(),
      tier: 'secure-cloud',
      region: 'north',
      jurisdictions: ['DE'],
      isolations: ['sandbox', 'gvisor'],
      tees: [],
      egress: ['none', 'declared'],
      customerKeys: true,
      hardLimits: true,
      evidence: [],
      spot: false,
      price: { microUnits: random.below(5_000), currency: 'EUR' },
      speed: 1 + random.below(50) / 7,
      free: { cpuMilli: 500 + random.below(8_000), memoryBytes: random.pick([1e9, 64e9]), diskBytes: 1e12, gpus: [] },
    }));
    for (const offer of offers) market.offers.set(offer.offer, offer);
    market.inventory.load(offers);
    assert.equal(market.inventory.classes.length, 1);
    let placed = 0;
    for (let step = 0; step < 40; step += 1) {
      const { sites: _, evidence: __, maxPrice: ___, ...placement } = random.request().placement;
      const open: PlacementRequest['placement'] = {
        ...placement,
        tiers: ['secure-cloud'],
        isolation: 'sandbox',
        tees: [],
        spot: 'auto',
        residency: [],
      };
      const wishes = { weights: { cost: random.pick([0, 1, 1_000]), speed: random.pick([0, 1]) } };
      const request = {
        ...random.request(),
        placement: open,
        label: { sensitivity: 'public' as const, residency: [] },
        wishes,
      };
      const result = market.placer.place(request);
      compare(result, market, request);
      if (result.decision.allow) placed += 1;
      market.take(result);
    }
    assert.ok(placed > 15, `${placed}`);
  });
});
