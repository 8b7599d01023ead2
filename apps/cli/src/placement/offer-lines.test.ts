import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import type { OfferView } from '@ringfence/protocol/api';
import { offerLines, stateText } from './offer-lines.ts';

const offered: NonNullable<OfferView['offered']> = {
  tier: 'secure-cloud',
  region: 'unknown',
  jurisdictions: ['DE'],
  isolations: ['sandbox'],
  tees: [],
  hardLimits: true,
  diskFull: false,
  spot: false,
  price: null,
  speed: 1,
  reliability: 1,
  evidence: [],
  freeCpuMilli: 1_000,
  freeMemoryBytes: 1e9,
  freeDiskBytes: 1e9,
  gpus: [],
};
const offer = (over: Partial<OfferView> = {}): OfferView => ({
  offer: newId('offer', systemRng),
  agent: newId('agent', systemRng),
  online: true,
  locked: false,
  draining: false,
  offered,
  admittedUntil: epochMs(1_800_000_000_000),
  avoided: null,
  quarantined: [],
  ...over,
});
const textOf = (view: OfferView) => offerLines(view, () => 'rented').join('\n');

test('a rented machine says until when it is admitted, and that its price is unknown', () => {
  assert.equal(stateText(offer()), 'online');
  assert.match(textOf(offer()), /^ {2}admission {2}until 2027-01-15$/m);
  assert.match(textOf(offer()), /^ {2}price {6}unknown$/m);
  assert.doesNotMatch(textOf(offer({ admittedUntil: null })), /admission/);
});

test('one that gets no jobs says why: its admission ended, it is avoided, or it is locked', () => {
  const ended = offer({ locked: true, admittedUntil: epochMs(0) });
  assert.equal(stateText(ended), 'admission ended');
  assert.match(textOf(ended), /admission {2}ended: it gets no jobs/);
  const avoided = offer({ locked: true, avoided: { reason: 'refuses', until: epochMs(1_800_000_000_000) } });
  assert.equal(stateText(avoided), 'avoided');
  assert.match(textOf(avoided), /gets no jobs until 2027-01-15T.*: its agent refused too many/);
  assert.doesNotMatch(textOf({ ...avoided, locked: false }), /gets no jobs/, 'that time is over');
  assert.equal(stateText(offer({ locked: true })), 'locked');
  assert.equal(stateText(offer({ draining: true, cordoned: true })), 'online, draining, to be given back');
});
