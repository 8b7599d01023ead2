import type { RetryReason } from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { PlacementRequest } from '@ringfence/policy/placement';

const MINUTE_MS = 60_000;
const EVERYWHERE: PlacementPart['tiers'] = ['private', 'secure-cloud', 'community-cloud'];
const TRUSTED: PlacementPart['tiers'] = ['private', 'secure-cloud'];
const ALWAYS: RetryReason[] = ['no-capacity', 'interruption', 'error'];

/** What kind of job it is: what its statements say, and how long it works. */
export interface Shape {
  readonly name: string;
  readonly placement: PlacementPart;
  readonly label: PlacementRequest['label'];
  /** Milliseconds of work, least and most. */
  readonly work: readonly [number, number];
  /** How often, against the others. */
  readonly weight: number;
  /** So many come one after the other and start together. */
  readonly gang?: number;
}

interface ShapeWish {
  readonly sensitivity?: PlacementRequest['label']['sensitivity'];
  readonly residency?: string[];
  readonly cpus?: number;
  readonly gpus?: number;
  readonly weight?: number;
  readonly work?: readonly [number, number];
  readonly acceptProviderPlaintext?: boolean;
  readonly placement?: Partial<PlacementPart>;
  readonly gang?: number;
}

function shape(name: string, wish: ShapeWish): Shape {
  const { sensitivity = 'public', residency = [], cpus = 2, gpus = 0 } = wish;
  const { weight = 4, work = [20_000, 180_000], acceptProviderPlaintext = false } = wish;
  const placement: PlacementPart = {
    v: 1,
    type: 'train',
    resources: {
      cpuMilli: cpus * 1_000,
      memoryBytes: 2e9,
      diskBytes: 1e9,
      hardLimits: false,
      ...(gpus === 0 ? {} : { gpus: { memoryBytes: 16e9, count: gpus } }),
    },
    tiers: sensitivity === 'public' ? EVERYWHERE : TRUSTED,
    residency,
    isolation: 'sandbox',
    tees: [],
    egress: 'none',
    burst: 'allowed',
    onPartition: 'stop',
    spot: 'auto',
    priority: 50,
    maxDurationMs: 5 * MINUTE_MS,
    retryOn: ALWAYS,
    ...wish.placement,
  };
  const label = { sensitivity, residency, acceptProviderPlaintext };
  return { name, placement, label, work, weight, ...(wish.gang === undefined ? {} : { gang: wish.gang }) };
}

const documented = { require: [], grade: 'documented', maxAgeDays: 365 } as PlacementPart['evidence'];
const thirdParty = { require: ['iso27001'], grade: 'third-party', maxAgeDays: 200 } as PlacementPart['evidence'];

/** The jobs of a simulation; the last two can run nowhere. */
export const SHAPES: readonly Shape[] = [
  shape('public', { weight: 10 }),
  shape('public, wide', { cpus: 6, placement: { priority: 60 } }),
  shape('public, cheap', { placement: { maxPrice: { microUnits: 1_500_000, currency: 'EUR' } } }),
  shape('public, on demand alone', { placement: { spot: 'never', egress: 'declared' } }),
  shape('public, never away', { placement: { burst: 'never' } }),
  shape('public, tried once', { placement: { retryOn: ['no-capacity'] } }),
  shape('public, keeps on', { weight: 2, placement: { onPartition: 'keep' } }),
  shape('public, without a home', { weight: 2, placement: { tiers: ['secure-cloud', 'community-cloud'] } }),
  shape('public, a card', { gpus: 1 }),
  shape('public, overruns', { work: [200_000, 400_000], placement: { maxDurationMs: 150_000 } }),
  shape('internal', { sensitivity: 'internal', weight: 8, placement: { evidence: documented } }),
  shape('internal, in the Union', {
    sensitivity: 'internal',
    residency: ['EU'],
    placement: { residency: ['EU'], evidence: thirdParty },
  }),
  shape('confidential, in an enclave', {
    sensitivity: 'confidential',
    placement: { isolation: 'container', evidence: thirdParty },
  }),
  shape('confidential, accepted', {
    sensitivity: 'confidential',
    acceptProviderPlaintext: true,
    placement: { isolation: 'container', evidence: thirdParty },
  }),
  shape('restricted', { sensitivity: 'restricted', placement: { tiers: ['private'], burst: 'never', priority: 70 } }),
  shape('public, three together', { weight: 3, cpus: 3, gang: 3 }),
  shape('internal, two together', { sensitivity: 'internal', weight: 2, gang: 2, placement: { evidence: documented } }),
  // It says public and mounts restricted data: the label is the data's.
  shape('restricted, says public', { sensitivity: 'restricted', weight: 1, placement: { tiers: EVERYWHERE } }),
  shape('greater than any machine', { weight: 1, cpus: 500 }),
];
