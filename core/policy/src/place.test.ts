import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import {
  LABEL_RULES,
  EVIDENCE_GRADES,
  EVIDENCE_STANDARDS,
  ISOLATIONS,
  SENSITIVITIES,
  TEES,
  TIERS,
} from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import type { OfferRow } from './offer.ts';
import { place } from './place.ts';
import { checkPlacement } from './placement-check.ts';
import type { PlacementLabel } from './placement-limits.ts';

const rng = seededRng('place');
const now = epochMs(1_800_000_000_000);
const DAY = 86_400_000;
const EU = new Set('AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK'.split(' '));
const ids = Array.from({ length: 12 }, () => [newId('offer', rng), newId('agent', rng), newId('site', rng)] as const);

const some = <T>(values: readonly T[], maxLength = values.length) =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength });
const country = fc.constantFrom('DE', 'FR', 'US');
const gpus = fc.record({
  model: fc.constantFrom('H100', 'L4'),
  memoryBytes: fc.constantFrom(24e9, 80e9),
  count: fc.integer({ min: 1, max: 8 }),
});
const offers: fc.Arbitrary<OfferRow[]> = fc
  .uniqueArray(fc.integer({ min: 0, max: ids.length - 1 }), { maxLength: ids.length })
  .chain((picked) => fc.tuple(...picked.map((index) => offerRow(index))));

function offerRow(index: number): fc.Arbitrary<OfferRow> {
  const [offer, agent, site] = ids[index] ?? assert.fail();
  return fc.record(
    {
      offer: fc.constant(offer),
      agent: fc.constant(agent),
      site: fc.constant(site),
      epoch: fc.integer({ min: 1, max: 99 }),
      tier: fc.constantFrom(...TIERS),
      jurisdictions: fc.uniqueArray(country, { maxLength: 2 }),
      isolations: fc.uniqueArray(fc.constantFrom(...ISOLATIONS), { minLength: 1, maxLength: 6 }),
      tees: some(TEES),
      hardLimits: fc.boolean(),
      evidence: fc.array(
        fc.record({
          digest: fc.constant('00'),
          standard: fc.constantFrom(...EVIDENCE_STANDARDS.slice(0, 2)),
          grade: fc.constantFrom(...EVIDENCE_GRADES),
          issuedAt: fc.constantFrom(epochMs(now - 400 * DAY), epochMs(now - 10 * DAY), epochMs(now + DAY)),
          notAfter: fc.constantFrom(now, epochMs(now + DAY)),
        }),
        { maxLength: 3 },
      ),
      free: fc.record({
        cpuMilli: fc.constantFrom(500, 4000),
        memoryBytes: fc.constantFrom(1e9, 64e9),
        diskBytes: fc.constantFrom(0, 1e12),
        gpus: fc.array(gpus, { maxLength: 2 }),
      }),
      online: fc.constantFrom(true, true, true, false),
      locked: fc.constantFrom(false, false, false, true),
      spot: fc.boolean(),
      price: fc.record({ microUnits: fc.constantFrom(1, 1000), currency: fc.constantFrom('EUR', 'USD') }),
    },
    {
      requiredKeys: [
        'offer',
        'agent',
        'site',
        'epoch',
        'tier',
        'jurisdictions',
        'isolations',
        'tees',
        'hardLimits',
        'evidence',
        'free',
        'online',
        'locked',
      ],
    },
  );
}

/** Mostly `usual`, so that most jobs can be placed somewhere and each constraint still bites now and then. */
const mostly = <T>(usual: T, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: rare });
const rarely = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 1 });
const evidenceWish: fc.Arbitrary<NonNullable<PlacementPart['evidence']>> = fc.record({
  require: some(EVIDENCE_STANDARDS.slice(0, 2)),
  grade: fc.constantFrom(...EVIDENCE_GRADES),
  maxAgeDays: fc.constantFrom(5, 90, 365),
});
const gpuWish = fc.record({
  model: fc.constantFrom('H100', 'L4'),
  memoryBytes: fc.constantFrom(0, 80e9),
  count: fc.integer({ min: 1, max: 4 }),
});
const placement: fc.Arbitrary<PlacementPart> = fc
  .record({
    cpuMilli: mostly(100, fc.constant(4000)),
    memoryBytes: mostly(16_000_000, fc.constant(64e9)),
    diskBytes: mostly(0, fc.constant(1e12)),
    gpus: rarely(gpuWish),
    hardLimits: mostly(false, fc.constant(true)),
    tiers: mostly([...TIERS], fc.uniqueArray(fc.constantFrom(...TIERS), { minLength: 1 })),
    residency: mostly<string[]>([], fc.uniqueArray(fc.constantFrom('DE', 'EU', 'US'), { maxLength: 2 })),
    isolation: mostly<PlacementPart['isolation']>('sandbox', fc.constantFrom(...ISOLATIONS)),
    tees: mostly<PlacementPart['tees']>([], some(TEES)),
    evidence: rarely(evidenceWish),
    egress: mostly<PlacementPart['egress']>('none', fc.constant('declared')),
    burst: mostly<PlacementPart['burst']>('allowed', fc.constant('never')),
    spot: mostly<PlacementPart['spot']>('auto', fc.constantFrom('never', 'only')),
    maxPrice: rarely(fc.constant({ microUnits: 100, currency: 'EUR' })),
  })
  .map(({ cpuMilli, memoryBytes, diskBytes, gpus: want, hardLimits, evidence, maxPrice, ...part }) => ({
    v: 1,
    type: 'train',
    resources: { cpuMilli, memoryBytes, diskBytes, hardLimits, ...(want && { gpus: want }) },
    ...part,
    ...(evidence && { evidence }),
    ...(maxPrice && { maxPrice }),
    onPartition: 'stop',
    priority: 50,
    maxDurationMs: 60_000,
  }));
const label: fc.Arbitrary<PlacementLabel> = fc.record({
  sensitivity: mostly<PlacementLabel['sensitivity']>('public', fc.constantFrom(...SENSITIVITIES)),
  residency: mostly<string[]>([], fc.constantFrom(['EU'], ['DE'], ['DE', 'US'])),
  acceptProviderPlaintext: fc.boolean(),
});
/** Half of the time the placement is cut to the tiers and the residency of its label, as a client would. */
const pair: fc.Arbitrary<[PlacementPart, PlacementLabel]> = fc
  .tuple(placement, label, fc.boolean())
  .map(([part, from, fit]) => {
    const tiers = part.tiers.filter((tier) => LABEL_RULES[from.sensitivity].tiers.includes(tier));
    const burst = from.sensitivity === 'restricted' ? 'never' : part.burst;
    const fitted: PlacementPart = {
      ...part,
      tiers: tiers.length > 0 ? tiers : ['private'],
      residency: [...from.residency],
      evidence: { require: [], grade: 'third-party', maxAgeDays: 90 },
      burst,
    };
    return [fit ? fitted : part, from];
  });

/** Everything that the design asks of a chosen machine, written a second time and in another order. */
function violations(offer: OfferRow, isolation: string, part: PlacementPart, from: PlacementLabel): string[] {
  const found: string[] = [];
  const need = (holds: boolean, what: string): unknown => holds || found.push(what);
  const inside = (list: readonly string[]): boolean =>
    list.length === 0 ||
    (offer.jurisdictions.length > 0 &&
      offer.jurisdictions.every((where) => list.includes(where) || (EU.has(where) && list.includes('EU'))));
  const level = ISOLATIONS.findIndex((name) => name === isolation);
  const atLeast = (name: string): boolean => level >= ISOLATIONS.findIndex((other) => other === name);
  const home = offer.tier === 'private';
  const { sensitivity } = from;
  need(offer.online && !offer.locked, 'there');
  need(part.tiers.includes(offer.tier), 'tier');
  need(home || sensitivity !== 'restricted', 'restricted stays home');
  need(offer.tier !== 'community-cloud' || sensitivity === 'public', 'community is for public data');
  need(home || part.burst === 'allowed' || !part.tiers.includes('private'), 'burst');
  need(inside(part.residency) && inside(from.residency), 'residency');
  need(
    offer.isolations.some((name) => name === isolation),
    'isolation present',
  );
  need(atLeast(part.isolation), 'isolation wished');
  need(offer.tier !== 'community-cloud' || atLeast('gvisor'), 'community isolation');
  need(sensitivity !== 'confidential' || atLeast('container'), 'confidential isolation');
  need(atLeast('sandbox') || (home && ['public', 'internal'].includes(sensitivity)), 'process');
  const teeAway = sensitivity === 'confidential' && !home && from.acceptProviderPlaintext !== true;
  need(!(teeAway || part.isolation === 'tee' || part.tees.length > 0) || isolation === 'tee', 'in a TEE');
  need(
    isolation !== 'tee' || offer.tees.some((name) => part.tees.length === 0 || part.tees.includes(name)),
    'tee kind',
  );
  const graded = (grade: string, days: number): OfferRow['evidence'] =>
    offer.evidence.filter(
      (claim) =>
        EVIDENCE_GRADES.indexOf(claim.grade) >= EVIDENCE_GRADES.findIndex((name) => name === grade) &&
        claim.issuedAt <= now &&
        claim.issuedAt >= now - days * DAY &&
        claim.notAfter > now,
    );
  const wished = part.evidence;
  if (wished)
    for (const name of wished.require)
      need(
        graded(wished.grade, wished.maxAgeDays).some(({ standard }) => standard === name),
        name,
      );
  const floor = LABEL_RULES[sensitivity].evidence;
  if (!home && floor !== undefined) need(graded(floor, 365).length > 0, 'evidence floor');
  need(isolation !== 'process' || part.isolation === 'process', 'process was asked for');
  const { resources } = part;
  need(offer.free.cpuMilli >= resources.cpuMilli && offer.free.memoryBytes >= resources.memoryBytes, 'cpu, memory');
  need(offer.free.diskBytes >= resources.diskBytes && (offer.hardLimits || !resources.hardLimits), 'disk, limits');
  const want = resources.gpus;
  need(
    !want ||
      offer.free.gpus.some(
        (gpu) =>
          gpu.count >= want.count && gpu.memoryBytes >= want.memoryBytes && gpu.model === (want.model ?? gpu.model),
      ),
    'gpu',
  );
  if (part.maxPrice)
    need(offer.price ? offer.price.currency === 'EUR' && offer.price.microUnits <= 100 : home, 'price');
  need(part.spot === 'auto' || (part.spot === 'only') === Boolean(offer.spot), 'spot');
  return found;
}

describe('place', () => {
  it('never chooses an offer that breaks any constraint, and always leaves sums that add up', () => {
    let chosen = 0;
    fc.assert(
      fc.property(pair, offers, ([part, from], rows) => {
        const result = place({ placement: part, label: from, offers: rows, now });
        if (!checkPlacement(part, from).allow) {
          assert.ok(!result.decision.allow && result.chosen === undefined);
          return;
        }
        const refused = result.refused.reduce((sum, { count }) => sum + count, 0);
        assert.equal(result.considered, rows.length);
        assert.equal(refused + result.feasible, result.considered);
        for (const { constraint, count } of result.soleFailures) {
          assert.ok(count <= (result.refused.find((row) => row.constraint === constraint)?.count ?? 0));
        }
        assert.equal(result.decision.allow, result.feasible > 0);
        if (!result.decision.allow) return;
        chosen += 1;
        const { isolation, offer } = result.decision.chosen;
        assert.equal(offer, result.chosen?.offer);
        assert.deepEqual(violations(result.chosen ?? assert.fail(), isolation, part, from), []);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(chosen > 200, `only ${chosen} placements were made`);
  });

  it('does not depend on the order of the offers', () => {
    fc.assert(
      fc.property(pair, offers, ([part, from], rows) => {
        const ask = (list: OfferRow[]) => place({ placement: part, label: from, offers: list, now });
        assert.deepEqual(ask(rows), ask(rows.toReversed()));
      }),
      { numRuns: 3000 },
    );
  });

  it('refuses no offer that a job with the sole failed constraint lifted would not get', () => {
    fc.assert(
      fc.property(pair, offers, ([part, from], rows) => {
        const { chosen } = place({ placement: part, label: from, offers: rows, now });
        if (chosen === undefined) return;
        const only = (change: Partial<OfferRow>) =>
          place({ placement: part, label: from, offers: [{ ...chosen, ...change }], now }).soleFailures;
        assert.deepEqual(only({ online: false }), [{ constraint: 'agent-offline', count: 1 }]);
        assert.deepEqual(only({ locked: true }), [{ constraint: 'agent-locked', count: 1 }]);
        const free = { ...chosen.free, cpuMilli: 0 };
        assert.deepEqual(only({ free }), [{ constraint: 'cpu', count: 1 }]);
      }),
      { numRuns: 3000 },
    );
  });
});
