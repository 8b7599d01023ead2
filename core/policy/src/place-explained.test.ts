import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng, type AgentId, type OfferId } from '@ringfence/base';
import { CONSTRAINTS, placementPart, receiptStatement, type PlacementPart } from '@ringfence/protocol/statements';
import type { OfferRow } from './offer.ts';
import { place } from './place.ts';
import type { PlacementLabel } from './placement-limits.ts';

const rng = seededRng('place explains');
const now = epochMs(1_800_000_000_000);
const DAY = 86_400_000;

const base: PlacementPart = placementPart.parse({
  v: 1,
  type: 'train',
  resources: { cpuMilli: 1000, memoryBytes: 1e9, diskBytes: 0, hardLimits: false },
  tiers: ['private', 'secure-cloud'],
  residency: [],
  isolation: 'sandbox',
  tees: [],
  evidence: { require: [], grade: 'documented', maxAgeDays: 365 },
  egress: 'none',
  burst: 'allowed',
  onPartition: 'stop',
  spot: 'auto',
  priority: 50,
  maxDurationMs: 60_000,
});
const internal: PlacementLabel = { sensitivity: 'internal', residency: [] };
const home: OfferRow = {
  offer: newId('offer', rng),
  agent: newId('agent', rng),
  site: newId('site', rng),
  epoch: 1,
  tier: 'private',
  jurisdictions: ['DE'],
  isolations: ['process', 'sandbox'],
  tees: [],
  hardLimits: true,
  evidence: [],
  free: { cpuMilli: 8000, memoryBytes: 64e9, diskBytes: 1e12, gpus: [] },
  online: true,
  locked: false,
};
const claim: OfferRow['evidence'][number] = {
  digest: '00',
  standard: 'soc2',
  grade: 'measured',
  issuedAt: epochMs(now - DAY),
  notAfter: epochMs(now + DAY),
};
const ask = (change: Partial<PlacementPart>, row: Partial<OfferRow> = {}, from = internal) =>
  place({ placement: { ...base, ...change }, label: from, offers: [{ ...home, ...row }], now });

describe('place explains', () => {
  const cases: [string, Partial<PlacementPart>, Partial<OfferRow>, PlacementLabel?][] = [
    ['agent-offline', {}, { online: false }],
    ['agent-locked', {}, { locked: true }],
    ['agent-draining', {}, { draining: true }],
    ['custodian-away', {}, { custodianAway: true }],
    ['disk', {}, { diskFull: true }],
    ['tier', { tiers: ['secure-cloud'] }, {}],
    ['residency', { residency: ['FR'] }, {}],
    ['residency', { residency: ['EU'] }, { jurisdictions: [] }],
    ['site', { sites: [newId('site', rng)] }, {}],
    ['isolation', { isolation: 'gvisor' }, {}],
    ['tee', { tees: ['tdx'] }, { isolations: ['tee'], tees: ['sev-snp'] }],
    ['evidence', {}, { tier: 'secure-cloud' }],
    ['evidence', { evidence: { require: ['iso27001'], grade: 'documented', maxAgeDays: 30 } }, {}],
    ['hard-limits', { resources: { ...base.resources, hardLimits: true } }, { hardLimits: false }],
    ['cpu', {}, { free: { ...home.free, cpuMilli: 999 } }],
    ['memory', {}, { free: { ...home.free, memoryBytes: 1 } }],
    ['disk', { resources: { ...base.resources, diskBytes: 1e13 } }, {}],
    ['gpu', { resources: { ...base.resources, gpus: { memoryBytes: 0, count: 1 } } }, {}],
    ['price', { maxPrice: { microUnits: 5, currency: 'EUR' } }, { price: { microUnits: 5, currency: 'USD' } }],
    ['price', { maxPrice: { microUnits: 5, currency: 'EUR' } }, { tier: 'secure-cloud', evidence: [claim] }],
    ['spot', { spot: 'only' }, {}],
  ];
  for (const [constraint, part, row, from] of cases) {
    it(`an offer that only ${constraint} keeps out (${JSON.stringify(part).slice(0, 40)})`, () => {
      const result = ask(part, row, from);
      assert.deepEqual(result.refused, [{ constraint, count: 1 }]);
      assert.deepEqual(result.soleFailures, [{ constraint, count: 1 }]);
      assert.deepEqual(result.decision, { allow: false, reasons: [{ code: 'no-offer-fits' }] });
    });
  }

  it('an offer that cannot deny egress, next to its isolation', () => {
    const result = ask({}, { isolations: ['process'] });
    assert.deepEqual(result.refused, [{ constraint: 'isolation', count: 1 }]);
    assert.deepEqual(result.soleFailures, []);
    assert.equal(ask({ isolation: 'process' }, { isolations: ['process'] }).decision.allow, true);
  });

  it('every constraint in some case', () => {
    const covered = new Set([...cases.map(([constraint]) => constraint), 'egress']);
    assert.deepEqual(
      CONSTRAINTS.filter((constraint) => !covered.has(constraint)),
      [],
    );
  });

  it('a placement that is looser than its label, before looking at any offer', () => {
    const result = ask({ egress: 'declared' }, {}, { sensitivity: 'restricted', residency: [] });
    assert.ok(!result.decision.allow);
    assert.deepEqual(result.decision.reasons, [
      { code: 'looser-than-label', field: 'tiers' },
      { code: 'looser-than-label', field: 'egress' },
      { code: 'looser-than-label', field: 'burst' },
    ]);
  });

  it('that there is nothing to choose from', () => {
    const result = place({ placement: base, label: internal, offers: [], now });
    assert.deepEqual(result.decision, { allow: false, reasons: [{ code: 'no-offers' }] });
  });
});

describe('place chooses', () => {
  it('home before away, then the smallest id, with the best isolation present', () => {
    const away: OfferRow = {
      ...home,
      offer: 'off_aaaaaaaaaaaaaaaaaaaaaaaaaa' as OfferId,
      tier: 'secure-cloud',
      evidence: [claim],
    };
    const twin: OfferRow = { ...home, offer: 'off_aaaaaaaaaaaaaaaaaaaaaaaaab' as OfferId, agent: 'x' as AgentId };
    const result = place({ placement: base, label: internal, offers: [away, home, twin], now });
    assert.equal(result.feasible, 3);
    assert.deepEqual(result.decision, {
      allow: true,
      chosen: { offer: twin.offer, agent: twin.agent, tier: 'private', isolation: 'sandbox' },
    });
  });

  it('no TEE for a job that needs none', () => {
    const result = ask({}, { isolations: ['tee', 'microvm'], tees: ['tdx'] });
    assert.ok(result.decision.allow && result.decision.chosen.isolation === 'microvm');
    const only = ask({}, { isolations: ['tee'], tees: ['tdx'] });
    assert.deepEqual(only.refused, [{ constraint: 'isolation', count: 1 }]);
  });

  it('counts that a receipt takes as they are', () => {
    const result = ask({ isolation: 'gvisor' });
    assert.doesNotThrow(() => receiptStatement.shape.refused.parse(result.refused));
  });

  it('among 10,000 offers', () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({ ...home, online: index % 3 === 0 }));
    const result = place({ placement: base, label: internal, offers: many, now });
    assert.equal(result.feasible, 3334);
  });
});
