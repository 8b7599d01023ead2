import { epochMs, newId, randomBelow, seededRng, type Rng } from '@ringfence/base';
import { readOffer, type PlacementOffer, type PlacementRequest } from '@ringfence/policy/placement';
import { createHash } from 'node:crypto';

const DAY = 86_400_000;
/** When everything happens. */
export const NOW = epochMs(1_800_000_000_000);
const PLACES = [
  ['de-1', 'DE'],
  ['fr-1', 'FR'],
  ['fi-1', 'FI'],
  ['us-1', 'US'],
  ['us-2', 'US'],
  ['uk-1', 'GB'],
] as const;
const GPUS = [
  { model: 'H100', memoryBytes: 80e9, microUnits: 2_500_000 },
  { model: 'A100', memoryBytes: 80e9, microUnits: 1_400_000 },
  { model: 'L4', memoryBytes: 24e9, microUnits: 500_000 },
  { model: 'T4', memoryBytes: 16e9, microUnits: 300_000 },
] as const;

type Template = Omit<PlacementOffer, 'offer' | 'agent' | 'site' | 'free' | 'price' | 'speed' | 'reliability'> & {
  readonly card: (typeof GPUS)[number] | undefined;
};

/** Offers of so many kinds, and jobs of so many shapes, from one seed. */
export class BenchMarket {
  readonly #rng: Rng;

  constructor(seed: string) {
    this.#rng = seededRng(seed);
  }

  below(bound: number): number {
    return randomBelow(this.#rng, bound);
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  /** `count` offers of `kinds` kinds; what is free, prices, speeds and reliabilities differ within a kind. */
  offers(count: number, kinds: number): PlacementOffer[] {
    const templates = Array.from({ length: kinds }, (_, kind) => this.#template(kind));
    const sites = Array.from({ length: Math.ceil(count / 20) }, () => newId('site', this.#rng));
    return Array.from({ length: count }, () => this.#offer(this.pick(templates), this.pick(sites)));
  }

  /** `count` shapes of jobs, some of which fit nowhere. */
  shapes(count: number): PlacementRequest[] {
    return Array.from({ length: count }, () => this.shape());
  }

  shape(): PlacementRequest {
    const sensitivity = this.pick(['public', 'public', 'internal', 'internal', 'confidential', 'restricted'] as const);
    const home = sensitivity === 'restricted';
    const strict = sensitivity === 'confidential';
    const gpu = this.below(3) > 0 ? this.pick(GPUS) : undefined;
    const tiers =
      sensitivity === 'public'
        ? (['private', 'secure-cloud', 'community-cloud'] as const)
        : (['private', 'secure-cloud'] as const);
    const residency = this.below(3) === 0 ? ['EU'] : [];
    return {
      placement: {
        v: 1,
        type: 'train',
        resources: {
          cpuMilli: this.pick([1_000, 2_000, 4_000, 8_000]),
          memoryBytes: this.pick([4e9, 8e9, 16e9, 32e9]),
          diskBytes: this.pick([0, 50e9]),
          hardLimits: false,
          ...(gpu === undefined
            ? {}
            : { gpus: { model: gpu.model, memoryBytes: gpu.memoryBytes, count: this.pick([1, 1, 1, 2, 4]) } }),
        },
        tiers: home ? ['private'] : this.below(3) === 0 ? ['secure-cloud'] : [...tiers],
        residency,
        isolation: strict ? 'container' : 'sandbox',
        tees: [],
        ...(home
          ? {}
          : {
              evidence: {
                require: this.below(3) === 0 ? (['iso27001'] as const).slice() : [],
                grade: strict ? ('third-party' as const) : ('documented' as const),
                maxAgeDays: 365,
              },
            }),
        egress: 'none',
        burst: home ? 'never' : 'allowed',
        onPartition: 'stop',
        spot: this.pick(['auto', 'auto', 'never']),
        ...(this.below(4) === 0 ? { maxPrice: { microUnits: 4_000_000, currency: 'EUR' } } : {}),
        priority: 50,
        maxDurationMs: this.pick([3_600_000, 21_600_000]),
      },
      label: { sensitivity, residency, ...(strict ? { acceptProviderPlaintext: true } : {}) },
      wishes: { weights: { reliability: 10 } },
      now: NOW,
    };
  }

  #template(kind: number): Template {
    const tier = this.pick(['private', 'secure-cloud', 'secure-cloud', 'community-cloud'] as const);
    const [region, law] = this.pick(PLACES);
    const tee = tier === 'secure-cloud' && this.below(4) === 0;
    return {
      epoch: 1,
      tier,
      region,
      jurisdictions: [law],
      isolations: [
        'sandbox',
        ...(tier === 'community-cloud' || this.below(2) === 0 ? (['container', 'gvisor'] as const) : []),
        ...(tee ? (['tee'] as const) : []),
      ],
      tees: tee ? ['sev-snp'] : [],
      egress: ['none', 'declared'],
      customerKeys: tier === 'private',
      hardLimits: this.below(4) > 0,
      evidence: this.#claims(kind),
      online: true,
      locked: false,
      draining: false,
      diskFull: false,
      spot: tier !== 'private' && this.below(3) === 0,
      networkMbit: this.pick([1_000, 10_000]),
      card: this.below(3) > 0 ? this.pick(GPUS) : undefined,
    };
  }

  #claims(kind: number): PlacementOffer['evidence'] {
    return (['iso27001', 'soc2'] as const).slice(0, this.below(3)).map((standard) => ({
      digest: createHash('sha256').update(`${kind} ${standard}`).digest('hex'),
      standard,
      grade: this.pick(['documented', 'third-party'] as const),
      issuedAt: epochMs(NOW - 30 * DAY),
      notAfter: epochMs(NOW + (10 + this.below(300)) * DAY),
    }));
  }

  #offer({ card, ...template }: Template, site: PlacementOffer['site']): PlacementOffer {
    const cents = 50_000 + 10_000 * this.below(40) + (card?.microUnits ?? 0);
    const read = readOffer({
      ...template,
      offer: newId('offer', this.#rng),
      agent: newId('agent', this.#rng),
      site,
      free: {
        cpuMilli: 1_000 * this.pick([16, 32, 64, 128]),
        memoryBytes: this.pick([64e9, 128e9, 256e9, 512e9]),
        diskBytes: 1e12,
        gpus:
          card === undefined
            ? []
            : [
                {
                  model: card.model,
                  memoryBytes: card.memoryBytes,
                  cards: Array.from({ length: this.pick([1, 2, 4, 8]) }, () => 1000),
                },
              ],
      },
      ...(template.tier === 'private' ? {} : { price: { microUnits: cents, currency: 'EUR' } }),
      speed: this.pick([0.8, 1, 1.2, 1.5]),
      reliability: this.pick([0.95, 0.99, 0.999]),
    });
    if (!read.allow) throw new Error('a made-up offer was refused');
    return read.offer;
  }
}
