import {
  evidenceGrade,
  evidenceStandard,
  idOf,
  isolation,
  jurisdiction,
  moment,
  region,
  sha256,
  tee,
  tier,
  whole,
} from '@ringfence/protocol';
import { z } from 'zod';
import { decide, type Decision } from '../decision.ts';
import { MOST_CARDS, MOST_GPU_KINDS, WHOLE_GPU, type PlacementOffer } from './placement-offer.ts';

/** What is wrong with an offer: which field, and how. Neither repeats a value that the sender chose. */
export interface OfferFault {
  /** A path like `free.gpus.0.cards`; empty for the offer as a whole. */
  readonly field: string;
  readonly fault: 'malformed' | 'out-of-range' | OfferContradiction;
}

/** Two fields of one offer that cannot both be true, or one that is not what the organisation's custodian vouches for. */
export type OfferContradiction =
  | 'tee-without-isolation'
  | 'isolation-without-tee'
  | 'evidence-ends-before-it-begins'
  | 'evidence-twice'
  | 'gpu-kind-twice'
  | 'listed-twice'
  | 'not-as-vouched'
  | 'private-spot'
  | 'private-price'
  | 'community-customer-keys-without-tee';

const gpuCards = z.strictObject({
  model: z.string().regex(/^[A-Z0-9-]{1,16}$/),
  memoryBytes: whole(0, 10_000_000_000_000),
  cards: z.array(whole(0, WHOLE_GPU)).min(1).max(MOST_CARDS),
});

const shape = z.strictObject({
  offer: idOf('offer'),
  agent: idOf('agent'),
  site: idOf('site'),
  epoch: whole(0, Number.MAX_SAFE_INTEGER),
  tier,
  region,
  jurisdictions: z.array(jurisdiction).max(8),
  isolations: z.array(isolation).min(1).max(6),
  tees: z.array(tee).max(3),
  egress: z.array(z.enum(['none', 'declared'])).max(2),
  customerKeys: z.boolean(),
  hardLimits: z.boolean(),
  evidence: z
    .array(
      z.strictObject({
        digest: sha256,
        standard: evidenceStandard,
        grade: evidenceGrade,
        issuedAt: moment,
        notAfter: moment,
      }),
    )
    .max(32),
  free: z.strictObject({
    cpuMilli: whole(0, 1_024_000),
    memoryBytes: whole(0, 100_000_000_000_000),
    diskBytes: whole(0, 1_000_000_000_000_000),
    gpus: z.array(gpuCards).max(MOST_GPU_KINDS),
  }),
  online: z.boolean(),
  locked: z.boolean(),
  draining: z.boolean(),
  diskFull: z.boolean(),
  spot: z.boolean(),
  price: z
    .strictObject({ microUnits: whole(0, 1_000_000_000_000), currency: z.string().regex(/^[A-Z]{3}$/) })
    .exactOptional(),
  speed: z.number().min(0.001).max(1_000),
  reliability: z.number().min(0).max(1),
  lossEvery: whole(0, 30).exactOptional(),
  networkMbit: whole(1, 10_000_000),
});

/**
 * Reads an offer from outside, or says everything that is wrong with it: numbers that are negative, no numbers, too great or
 * fractions, unknown fields, and fields that contradict each other. Nothing is corrected.
 */
export function readOffer(input: unknown): Decision<OfferFault, { readonly offer: PlacementOffer }> {
  const parsed = shape.safeParse(input);
  if (!parsed.success) return { allow: false, reasons: parsed.error.issues.map(faultOf) };
  return decide(contradictions(parsed.data), { offer: parsed.data });
}

function faultOf({ code, path }: z.core.$ZodIssue): OfferFault {
  const range = code === 'too_big' || code === 'too_small';
  return { field: path.join('.'), fault: range ? 'out-of-range' : 'malformed' };
}

function contradictions(offer: PlacementOffer): OfferFault[] {
  const tee = offer.isolations.includes('tee');
  const kinds = offer.free.gpus.map(({ model, memoryBytes }) => `${model}:${memoryBytes}`);
  const found: [boolean, string, OfferContradiction][] = [
    [offer.tees.length > 0 && !tee, 'tees', 'tee-without-isolation'],
    [tee && offer.tees.length === 0, 'isolations', 'isolation-without-tee'],
    [twice(offer.evidence.map(({ digest }) => digest)), 'evidence', 'evidence-twice'],
    [twice(kinds), 'free.gpus', 'gpu-kind-twice'],
    [offer.tier === 'private' && offer.spot, 'spot', 'private-spot'],
    [offer.tier === 'private' && offer.price !== undefined, 'price', 'private-price'],
    [
      offer.tier === 'community-cloud' && offer.customerKeys && !tee,
      'customerKeys',
      'community-customer-keys-without-tee',
    ],
  ];
  for (const list of ['jurisdictions', 'isolations', 'tees', 'egress'] as const) {
    found.push([twice(offer[list]), list, 'listed-twice']);
  }
  for (const [index, { issuedAt, notAfter }] of offer.evidence.entries()) {
    found.push([notAfter <= issuedAt, `evidence.${index}`, 'evidence-ends-before-it-begins']);
  }
  return found.filter(([wrong]) => wrong).map(([, field, fault]) => ({ field, fault }));
}

function twice(values: readonly string[]): boolean {
  return new Set(values).size < values.length;
}
