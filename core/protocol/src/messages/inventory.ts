import { z } from 'zod';
import {
  evidenceStandard,
  idOf,
  isolation,
  jurisdiction,
  moment,
  region,
  sha256,
  signKey,
  tee,
  tier,
  whole,
} from '../fields.ts';
import { price } from '../statements/placement.ts';

const gpu = z.strictObject({
  model: z.string().regex(/^[A-Z0-9-]{1,16}$/),
  memoryBytes: whole(0, 10_000_000_000_000),
  count: whole(1, 64),
});

/** The most machines that an organisation offers: its custodian takes in no more, and its control plane no more offers. */
export const MOST_OFFERS = 100_000;

/** What an agent's machine offers; each sending has a higher epoch and replaces the one before. */
export const offer = z.strictObject({
  offer: idOf('offer'),
  site: idOf('site'),
  epoch: whole(1, Number.MAX_SAFE_INTEGER),
  tier,
  jurisdictions: z.array(jurisdiction).max(4),
  isolations: z.array(isolation).min(1).max(6),
  tees: z.array(tee).max(3),
  hardLimits: z.boolean(),
  cpuMilli: whole(0, 1_024_000),
  memoryBytes: whole(0, 100_000_000_000_000),
  diskBytes: whole(0, 1_000_000_000_000_000),
  gpus: z.array(gpu).max(16),
  evidence: z.array(z.strictObject({ standard: evidenceStandard, digest: sha256, notAfter: moment })).max(16),
  /** Where the machine stands, as its provider calls it; only equal or not equal. */
  region: region.optional(),
  /** Absent at the organisation's own sites. */
  price: price.optional(),
  /** It may be taken away at any time. */
  spot: z.literal(true).optional(),
  /** Work an hour, in thousandths of a reference machine's. */
  speedMilli: whole(1, 1_000_000).optional(),
  /** Megabits a second at which data arrives. */
  networkMbit: whole(1, 10_000_000).optional(),
});

/** The custodian's notice of whose frames and statements the organisation vouches for, or no longer does. */
export const member = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('add'),
    id: z.union([idOf('device'), idOf('agent')]),
    sign: signKey,
    keyringSeq: whole(0, 1_000_000),
    /** Of an agent, as the keyring has them: an offer that says otherwise gets no jobs. */
    tier: tier.optional(),
    site: idOf('site').optional(),
  }),
  z.strictObject({
    op: z.literal('remove'),
    id: z.union([idOf('device'), idOf('agent')]),
    keyringSeq: whole(0, 1_000_000),
  }),
]);

/** The custodian's notice that an agent's journal forked: the same identity ran twice. */
export const lock = z.strictObject({ agent: idOf('agent'), reason: z.enum(['fork', 'removed', 'incident']) });

export type Offer = z.infer<typeof offer>;
export type Member = z.infer<typeof member>;
