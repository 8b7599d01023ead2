import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs } from '@ringfence/base';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { Inventory } from './inventory.ts';
import type { PlacementOffer } from './placement-offer.ts';
import { Placer, type ChosenOffer } from './placer.ts';
import { NOW, RandomPlacement } from './random-placement.fixture.ts';
import { EVIDENCE_GRACE_MS, type PlacementRequest } from './requirement.ts';

const DAY = 86_400_000;
const random = new RandomPlacement('cases');
const claim = {
  digest: 'ab'.repeat(32),
  standard: 'iso27001' as const,
  grade: 'third-party' as const,
  issuedAt: epochMs(NOW - DAY),
  notAfter: epochMs(NOW + 10 * DAY),
};
const placement: PlacementPart = {
  v: 1,
  type: 'train',
  resources: { cpuMilli: 1_000, memoryBytes: 1e9, diskBytes: 0, hardLimits: false },
  tiers: ['private', 'secure-cloud'],
  residency: [],
  isolation: 'sandbox',
  tees: [],
  evidence: { require: ['iso27001'], grade: 'third-party', maxAgeDays: 365 },
  egress: 'none',
  burst: 'allowed',
  onPartition: 'stop',
  spot: 'auto',
  priority: 50,
  maxDurationMs: DAY,
};
const request: PlacementRequest = {
  placement,
  label: { sensitivity: 'internal', residency: [] },
  now: epochMs(NOW),
};

function offer(change: Partial<PlacementOffer> = {}): PlacementOffer {
  const { offer: id, agent, site } = random.offer();
  return {
    offer: id,
    agent,
    site,
    epoch: 3,
    tier: 'secure-cloud',
    region: 'north',
    jurisdictions: ['DE'],
    isolations: ['sandbox', 'gvisor'],
    tees: [],
    egress: ['none', 'declared'],
    customerKeys: false,
    hardLimits: true,
    evidence: [claim],
    free: { cpuMilli: 4_000, memoryBytes: 8e9, diskBytes: 1e12, gpus: [] },
    online: true,
    locked: false,
    draining: false,
    diskFull: false,
    spot: false,
    price: { microUnits: 2_000_000, currency: 'EUR' },
    speed: 1,
    reliability: 1,
    networkMbit: 1_000,
    ...change,
  };
}

function placerOf(...offers: PlacementOffer[]): Placer {
  const inventory = new Inventory(41);
  inventory.load(offers);
  return new Placer(inventory, { currency: 'EUR' });
}

function chosenOf(placer: Placer, change: Partial<PlacementRequest> = {}): ChosenOffer {
  const { decision } = placer.place({ ...request, ...change });
  assert.ok(decision.allow, JSON.stringify(decision));
  return decision.chosen;
}

describe('a placement', () => {
  it('names the claims that counted, the price and the epoch', () => {
    const longer = { ...claim, digest: 'cd'.repeat(32), notAfter: epochMs(NOW + 20 * DAY) };
    const one = offer({ evidence: [claim, longer] });
    const placed = placerOf(one, offer({ evidence: [] })).place(request);
    assert.deepEqual([placed.inventoryEpoch, placed.considered, placed.feasible], [42, 2, 1]);
    assert.deepEqual(placed.explanation.refused, [{ constraint: 'evidence', count: 1 }]);
    assert.ok(placed.decision.allow);
    const { offer: id, offerEpoch, isolation, score, price, evidence } = placed.decision.chosen;
    assert.deepEqual([id, offerEpoch, isolation, score], [one.offer, 3, 'sandbox', 3]);
    assert.deepEqual(price, { microUnits: 2_000_000, currency: 'EUR' });
    assert.deepEqual(evidence, [{ digest: longer.digest, issuedAt: longer.issuedAt, notAfter: longer.notAfter }]);
  });

  it('needs evidence that lasts to the end of the longest run and the grace, at any order of times', () => {
    const placer = placerOf(offer());
    const last = claim.notAfter - DAY - EVIDENCE_GRACE_MS;
    const fits = (now: number) => placer.place({ ...request, now: epochMs(now) }).decision.allow;
    assert.deepEqual([last, last + 1, last, claim.issuedAt - 1, claim.issuedAt].map(fits), [
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it('stays at home where there is room, and goes where it is cheapest where there is none', () => {
    const { price: _, ...unpriced } = offer();
    const home: PlacementOffer = { ...unpriced, tier: 'private', speed: 0.1, evidence: [claim] };
    const cheap = offer({ price: { microUnits: 1_000_000, currency: 'EUR' } });
    const foreign = offer({ price: { microUnits: 1, currency: 'USD' } });
    const placer = placerOf(offer(), cheap, foreign, home);
    assert.equal(chosenOf(placer).offer, home.offer);
    placer.inventory.setState(home.offer, { online: true, locked: false, draining: true });
    assert.equal(chosenOf(placer).offer, cheap.offer);
    assert.deepEqual(
      placer.place(request).top.map(({ tier }) => tier),
      ['secure-cloud', 'secure-cloud', 'secure-cloud'],
    );
    assert.deepEqual(placer.place(request).explanation.soleFailures, [{ constraint: 'agent-draining', count: 1 }]);
  });

  it('takes what is free up to the upper end, once: who is late takes nothing', () => {
    const placer = placerOf(offer());
    const { offer: id, take } = chosenOf(placer, { wishes: { most: { cpuMilli: 9_000, memoryBytes: 2e9 } } });
    assert.deepEqual(take, { cpuMilli: 4_000, memoryBytes: 2e9, diskBytes: 0 });
    assert.ok(placer.inventory.reserve(id, take));
    assert.ok(!placer.inventory.reserve(id, take));
    assert.equal(placer.inventory.find(id)?.free.memoryBytes, 6e9);
    assert.deepEqual(placer.whyNot(request, id), { fits: false, failed: ['cpu'] });
    assert.ok(placer.inventory.release(id, take));
    assert.equal(chosenOf(placer).offer, id);
  });

  it('gives a share of the fullest card that has it, and takes back no more than was given', () => {
    const gpus = [{ model: 'L4', memoryBytes: 24e9, cards: [1000, 400, 600] }];
    const placer = placerOf(offer({ free: { cpuMilli: 4_000, memoryBytes: 8e9, diskBytes: 0, gpus } }));
    const asked = { ...placement, resources: { ...placement.resources, gpus: { memoryBytes: 0, count: 1 } } };
    const { offer: id, take } = chosenOf(placer, { placement: asked, wishes: { gpuMilli: 500 } });
    assert.deepEqual(take.gpus, { model: 'L4', memoryBytes: 24e9, cards: [2], milli: 500 });
    assert.ok(placer.inventory.reserve(id, take));
    assert.deepEqual(placer.inventory.find(id)?.free.gpus[0]?.cards, [1000, 400, 100]);
    assert.ok(placer.inventory.release(id, take));
    assert.ok(
      !placer.inventory.release(id, { ...take, gpus: { model: 'L4', memoryBytes: 24e9, cards: [0], milli: 1 } }),
    );
    assert.deepEqual(placer.inventory.find(id)?.free.gpus[0]?.cards, [1000, 400, 600]);
  });

  it('brings the job to the data when the weights say so', () => {
    const [far, near] = [offer({ price: { microUnits: 1, currency: 'EUR' } }), offer({ region: 'south' })];
    const placer = placerOf(far, near);
    const data = [{ site: near.site, region: 'south', bytes: 1e12, egressMicroUnitsPerGb: 50_000 }];
    assert.equal(chosenOf(placer, { wishes: { data } }).offer, near.offer);
    assert.equal(chosenOf(placer, { wishes: { data, weights: { gravity: 0 } } }).offer, far.offer);
  });

  it('proposes nothing below its label, and never another place for the data', () => {
    const outside = offer({ jurisdictions: ['US'] });
    const label = { sensitivity: 'confidential', residency: ['EU'] } as const;
    const strict: PlacementPart = { ...placement, residency: ['EU'], isolation: 'container' };
    const { decision, explanation } = placerOf(outside, offer()).place({ ...request, placement: strict, label });
    assert.ok(!decision.allow);
    assert.deepEqual(explanation.soleFailures, [{ constraint: 'tee', count: 1 }]);
    assert.deepEqual(explanation.relaxations, []);
  });

  it('looks at no offer for what its label forbids', () => {
    const label = { sensitivity: 'restricted', residency: [] } as const;
    const { decision, considered } = placerOf(offer()).place({ ...request, label });
    assert.equal(considered, 0);
    assert.ok(!decision.allow);
    assert.deepEqual(
      decision.reasons.map((reason) => reason.code === 'looser-than-label' && reason.field),
      ['tiers', 'burst'],
    );
  });
});

describe('an inventory', () => {
  it('forgets classes that are empty, and places as before', () => {
    const placer = placerOf(offer());
    for (let at = 0; at < 700; at += 1) {
      const passing = offer({ evidence: [{ ...claim, digest: at.toString(16).padStart(64, '0') }] });
      placer.inventory.put(passing);
      if (at % 100 === 0) placer.place(request);
      placer.inventory.remove(passing.offer);
    }
    assert.ok(placer.inventory.classes.length < 400);
    assert.equal(placer.place(request).feasible, 1);
  });
});
