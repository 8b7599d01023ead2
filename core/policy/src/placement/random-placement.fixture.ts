import { epochMs, newId, seededRng, type Rng } from '@ringfence/base';
import {
  EVIDENCE_GRADES,
  EVIDENCE_STANDARDS,
  ISOLATIONS,
  LABEL_RULES,
  SENSITIVITIES,
  TEES,
  TIERS,
} from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { OfferEvidence } from '../offer.ts';
import type { PlacementLabel } from '../placement-limits.ts';
import type { PlacementOffer } from './placement-offer.ts';
import { readOffer } from './read-offer.ts';
import type { PlacementRequest, PlacementWishes } from './requirement.ts';

const DAY = 86_400_000;
/** When random jobs start. */
export const NOW = 1_800_000_000_000;
const REGIONS = ['north', 'south'];

/** Random offers and jobs from one seed, of few values each, so that every constraint bites and scores are often equal. */
export class RandomPlacement {
  readonly #rng: Rng;
  readonly #sites;
  #words = new Uint16Array(0);
  #used = 0;

  constructor(seed: string) {
    this.#rng = seededRng(seed);
    this.#sites = Array.from({ length: 4 }, () => newId('site', this.#rng));
  }

  /** A whole number below `bound`, at most a few dozen; drawn in bulk, since the generator is slow with little. */
  below(bound: number): number {
    if (this.#used === this.#words.length) {
      this.#words = new Uint16Array(Uint8Array.from(this.#rng.bytes(8_192)).buffer);
      this.#used = 0;
    }
    const word = this.#words[this.#used] ?? 0;
    this.#used += 1;
    return word % bound;
  }

  /** One of `values`. */
  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  /** True one time in `times`. */
  rarely(times: number): boolean {
    return this.below(times) === 0;
  }

  /** A part of `values`, maybe none. */
  some<T>(values: readonly T[]): T[] {
    return values.filter(() => this.rarely(2));
  }

  /** An offer that {@link readOffer} takes. */
  offer(now = NOW): PlacementOffer {
    const tier = this.pick(TIERS);
    const tees = this.rarely(2) ? [this.pick(TEES)] : [];
    const levels = [...new Set([this.pick(ISOLATIONS.slice(0, 5)), ...this.some(ISOLATIONS.slice(0, 5))])];
    const price = {
      microUnits: this.pick([500_000, 1_000_000, 1_000_001]),
      currency: this.pick(['EUR', 'EUR', 'USD']),
    };
    const offer = {
      offer: newId('offer', this.#rng),
      agent: newId('agent', this.#rng),
      site: this.pick(this.#sites),
      epoch: this.below(9),
      tier,
      region: this.pick(REGIONS),
      jurisdictions: this.some(['DE', 'US', 'FR']).slice(0, 2),
      isolations: tees.length > 0 ? [...levels, 'tee'] : levels,
      tees,
      egress: this.rarely(5) ? ['none'] : ['none', 'declared'],
      customerKeys: tier !== 'community-cloud' && this.rarely(2),
      hardLimits: !this.rarely(3),
      evidence: Array.from({ length: this.below(3) }, () => this.claim(now)),
      free: {
        cpuMilli: this.pick([500, 4_000, 8_000]),
        memoryBytes: this.pick([1e9, 64e9]),
        diskBytes: this.pick([0, 1e12]),
        gpus: this.some(['H100', 'L4']).map((model) => ({
          model,
          memoryBytes: this.pick([24e9, 80e9]),
          cards: Array.from({ length: 1 + this.below(3) }, () => this.pick([1000, 1000, 600, 250, 0])),
        })),
      },
      online: !this.rarely(12),
      locked: this.rarely(12),
      draining: this.rarely(12),
      diskFull: this.rarely(12),
      spot: tier !== 'private' && this.rarely(3),
      ...(tier === 'private' || this.rarely(6) ? {} : { price }),
      speed: this.pick([1, 1, 2, 3]),
      reliability: this.pick([1, 0.9]),
      networkMbit: this.pick([100, 10_000]),
    };
    const read = readOffer(offer);
    if (!read.allow) throw new Error(JSON.stringify(read.reasons));
    return read.offer;
  }

  claim(now = NOW): OfferEvidence {
    return {
      digest: Buffer.from(this.#rng.bytes(32)).toString('hex'),
      standard: this.pick(EVIDENCE_STANDARDS.slice(0, 2)),
      grade: this.pick(EVIDENCE_GRADES.slice(1)),
      issuedAt: epochMs(now - this.pick([400 * DAY, 10 * DAY, 10 * DAY, -1_800_000])),
      notAfter: epochMs(now + this.pick([2 * DAY, 2 * DAY, 3_600_000, 30 * DAY])),
    };
  }

  /** A job; its placement is cut to what its label permits, as clients do, three times in four. */
  request(now = NOW): PlacementRequest {
    const label: PlacementLabel = {
      sensitivity: this.pick([...SENSITIVITIES, 'public', 'public', 'public', 'internal']),
      residency: this.rarely(4) ? ['EU'] : [],
      acceptProviderPlaintext: this.rarely(2),
    };
    const wishes = this.wishes();
    const placement = this.placement(wishes);
    const fitted = this.rarely(12) ? placement : cutTo(placement, label);
    return {
      placement: fitted,
      label,
      now: epochMs(now),
      ...(this.rarely(2) ? { wishes } : { wishes: share(wishes) }),
    };
  }

  wishes(): PlacementWishes {
    return {
      ...(this.rarely(5) ? { residencyDeny: ['US'] } : {}),
      ...(this.rarely(6) ? { customerKey: true } : {}),
      ...(this.rarely(4) ? { most: { cpuMilli: 6_000, gpuCount: 4, gpuMemoryBytes: this.pick([24e9, 100e9]) } } : {}),
      ...(this.rarely(5) ? { gpuMilli: this.pick([200, 500]) } : {}),
      ...(this.rarely(2) ? { weights: { cost: this.pick([0, 1, 5]), reliability: this.pick([0, 10]) } } : {}),
      ...(this.rarely(3) ? { data: Array.from({ length: 1 + this.below(2) }, () => this.source()) } : {}),
    };
  }

  source(): NonNullable<PlacementWishes['data']>[number] {
    return {
      site: this.pick(this.#sites),
      region: this.pick(REGIONS),
      bytes: this.pick([0, 3e9, 7e11]),
      egressMicroUnitsPerGb: this.pick([0, 90_000]),
    };
  }

  placement({ gpuMilli }: PlacementWishes): PlacementPart {
    const asksGpus = gpuMilli !== undefined || this.rarely(4);
    const gpus = {
      ...(this.rarely(2) ? { model: this.pick(['H100', 'L4']) } : {}),
      memoryBytes: this.pick([0, 40e9]),
      count: gpuMilli === undefined ? 1 + this.below(2) : 1,
    };
    return {
      v: 1,
      type: 'train',
      resources: {
        cpuMilli: this.pick([100, 100, 100, 4_000]),
        memoryBytes: this.pick([16_000_000, 16_000_000, 16_000_000, 64e9]),
        diskBytes: this.pick([0, 0, 0, 1e12]),
        hardLimits: this.rarely(5),
        ...(asksGpus ? { gpus } : {}),
      },
      tiers: this.rarely(2) ? [...TIERS] : [this.pick(TIERS), ...this.some(TIERS)].filter(once),
      residency: this.rarely(4) ? [this.pick(['DE', 'EU', 'US'])] : [],
      ...(this.rarely(8) ? { sites: [this.pick(this.#sites), newId('site', this.#rng)] } : {}),
      isolation: this.pick(['process', 'process', 'sandbox', 'sandbox', 'sandbox', 'container', 'gvisor', 'tee']),
      tees: this.rarely(9) ? [this.pick(TEES), ...this.some(TEES)].filter(once) : [],
      ...(this.rarely(3)
        ? {
            evidence: {
              require: this.some(EVIDENCE_STANDARDS.slice(0, 2)),
              grade: this.pick(EVIDENCE_GRADES),
              maxAgeDays: this.pick([5, 90, 365]),
            },
          }
        : {}),
      egress: this.rarely(4) ? 'declared' : 'none',
      burst: this.rarely(4) ? 'never' : 'allowed',
      onPartition: 'stop',
      spot: this.pick(['auto', 'auto', 'never', 'only']),
      ...(this.rarely(4) ? { maxPrice: { microUnits: 1_000_000, currency: this.pick(['EUR', 'USD']) } } : {}),
      ...(this.rarely(6)
        ? { budget: { microUnits: 24_000_000, currency: this.pick(['EUR', 'USD']), attempts: this.pick([1, 3]) } }
        : {}),
      priority: 50,
      maxDurationMs: this.pick([60_000, DAY]),
    };
  }
}

function once<T>(value: T, place: number, all: readonly T[]): boolean {
  return all.indexOf(value) === place;
}

/** Only what goes with the placement that was made for these wishes. */
function share({ gpuMilli }: PlacementWishes): PlacementWishes {
  return gpuMilli === undefined ? {} : { gpuMilli };
}

function cutTo(placement: PlacementPart, { sensitivity, residency }: PlacementLabel): PlacementPart {
  const rule = LABEL_RULES[sensitivity];
  const tiers = placement.tiers.filter((tier) => rule.tiers.includes(tier));
  const floor = rule.processAtHome
    ? placement.isolation
    : placement.isolation === 'process'
      ? rule.isolation
      : placement.isolation;
  return {
    ...placement,
    tiers: tiers.length > 0 ? tiers : ['private'],
    residency: placement.residency.length > 0 && residency.length > 0 ? ['DE'] : [...placement.residency, ...residency],
    isolation:
      sensitivity === 'confidential' && floor === 'sandbox' ? 'container' : floor === 'process' ? 'sandbox' : floor,
    evidence: placement.evidence ?? { require: [], grade: rule.evidence ?? 'documented', maxAgeDays: 365 },
    egress: rule.egress === 'none' ? 'none' : placement.egress,
    burst: rule.burst === 'never' ? 'never' : placement.burst,
  };
}
