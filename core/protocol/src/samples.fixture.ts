import { newId, systemRng } from '@ringfence/base';
import type { MessageBody } from './messages/index.ts';
import type { PlacementPart } from './statements/index.ts';

/** A job that one sandbox on an own site can run. */
export const SAMPLE_PLACEMENT: PlacementPart = {
  v: 1,
  type: 'train',
  resources: { cpuMilli: 1_000, memoryBytes: 1e9, diskBytes: 0, hardLimits: false },
  tiers: ['private'],
  residency: [],
  isolation: 'sandbox',
  tees: [],
  egress: 'none',
  burst: 'never',
  onPartition: 'stop',
  spot: 'auto',
  priority: 50,
  maxDurationMs: 3_600_000,
};

/** What an own machine with four CPUs offers, of a site of its own unless `change` names one. */
export function sampleOffer(change: Partial<MessageBody<'offer'>> = {}): MessageBody<'offer'> {
  return {
    offer: newId('offer', systemRng),
    site: newId('site', systemRng),
    epoch: 1,
    tier: 'private',
    jurisdictions: ['DE'],
    isolations: ['sandbox'],
    tees: [],
    hardLimits: true,
    cpuMilli: 4_000,
    memoryBytes: 16e9,
    diskBytes: 100e9,
    gpus: [],
    evidence: [],
    ...change,
  };
}
