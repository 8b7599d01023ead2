import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seededRng } from '@ringfence/base';
import { RandomPlacement } from './random-placement.fixture.ts';
import { readOffer } from './read-offer.ts';

const { offer: id, ...some } = new RandomPlacement('read').offer();
const claim = { ...new RandomPlacement('claim').claim(), issuedAt: 1_000, notAfter: 2_000 };
const cards = { model: 'L4', memoryBytes: 1, cards: [1000] };
const good = {
  ...some,
  offer: id,
  tier: 'secure-cloud',
  isolations: ['sandbox'],
  tees: [],
  evidence: [],
  price: { microUnits: 1, currency: 'EUR' },
  free: { cpuMilli: 1, memoryBytes: 1, diskBytes: 1, gpus: [cards] },
};
const { free } = good;

describe('an offer from outside', () => {
  it('is taken when nothing is wrong with it', () => {
    const read = readOffer(good);
    assert.deepEqual(read, { allow: true, offer: good });
  });

  const bad: [string, object, string, string][] = [
    ['a negative number', { free: { ...free, cpuMilli: -1 } }, 'free.cpuMilli', 'out-of-range'],
    ['no number', { free: { ...free, memoryBytes: Number.NaN } }, 'free.memoryBytes', 'malformed'],
    ['an infinite number', { speed: Infinity }, 'speed', 'malformed'],
    ['a number too great', { free: { ...free, diskBytes: 2 ** 53 } }, 'free.diskBytes', 'out-of-range'],
    ['a fraction', { price: { microUnits: 0.5, currency: 'EUR' } }, 'price.microUnits', 'malformed'],
    ['a negative price', { price: { microUnits: -5, currency: 'EUR' } }, 'price.microUnits', 'out-of-range'],
    ['a speed of nothing', { speed: 0 }, 'speed', 'out-of-range'],
    ['more than always reliable', { reliability: 1.01 }, 'reliability', 'out-of-range'],
    ['text for a number', { networkMbit: '100' }, 'networkMbit', 'malformed'],
    [
      'more of a card than it is',
      { free: { ...free, gpus: [{ ...cards, cards: [1001] }] } },
      'free.gpus.0.cards.0',
      'out-of-range',
    ],
    [
      'five kinds of GPU',
      { free: { ...free, gpus: [1, 2, 3, 4, 5].map((memoryBytes) => ({ ...cards, memoryBytes })) } },
      'free.gpus',
      'out-of-range',
    ],
    ['a kind of GPU twice', { free: { ...free, gpus: [cards, cards] } }, 'free.gpus', 'gpu-kind-twice'],
    ['an unknown field', { note: 'x' }, '', 'malformed'],
    ['a tier that is none', { tier: 'secure' }, 'tier', 'malformed'],
    ['a TEE without its isolation', { tees: ['tdx'] }, 'tees', 'tee-without-isolation'],
    ['TEE isolation without a TEE', { isolations: ['sandbox', 'tee'] }, 'isolations', 'isolation-without-tee'],
    [
      'evidence that ends first',
      { evidence: [{ ...claim, notAfter: 1_000 }] },
      'evidence.0',
      'evidence-ends-before-it-begins',
    ],
    ['evidence twice', { evidence: [claim, claim] }, 'evidence', 'evidence-twice'],
    ['a law twice', { jurisdictions: ['DE', 'DE'] }, 'jurisdictions', 'listed-twice'],
    ['a price for own machines', { tier: 'private', spot: false }, 'price', 'private-price'],
    ['own machines as spot', { tier: 'private', spot: true, price: undefined }, 'price', 'malformed'],
    [
      'customer keys in the community',
      { tier: 'community-cloud', customerKeys: true },
      'customerKeys',
      'community-customer-keys-without-tee',
    ],
  ];
  for (const [name, change, field, fault] of bad) {
    it(`is refused with ${name}`, () => {
      const read = readOffer({ ...good, ...change });
      assert.ok(!read.allow);
      assert.ok(
        read.reasons.some((reason) => reason.field === field && reason.fault === fault),
        JSON.stringify(read.reasons),
      );
    });
  }

  it('never throws, and takes only what it would take again, for 100,000 broken ones (seed "broken offers")', () => {
    const rng = seededRng('broken offers');
    const words = new Uint32Array(new Uint8Array(rng.bytes(400_004)).buffer.slice(0, 400_000));
    const values = [-1, Number.NaN, Infinity, 2 ** 60, 1e308, '', null, undefined, [], {}, true, '1', -0, 0.1];
    const keys = Object.keys(good);
    for (const word of words) {
      const key = keys[word % keys.length] ?? '';
      const value = values[(word >> 8) % values.length];
      const amounts = ['cpuMilli', 'memoryBytes', 'diskBytes', 'gpus'];
      const inner = amounts[(word >> 16) % amounts.length] ?? '';
      const read = readOffer(
        (word >> 28) % 2 === 0 ? { ...good, [key]: value } : { ...good, free: { ...free, [inner]: value } },
      );
      if (read.allow) assert.ok(readOffer(structuredClone(read.offer)).allow);
    }
  });
});
