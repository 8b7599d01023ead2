import type { AgentId, EpochMs, OfferId } from '@ringfence/base';
import type { Isolation, Tier } from '@ringfence/protocol';
import type { CountedClaim } from './chosen-claims.ts';
import type { ConstraintCount } from './explanation.ts';
import type { Price } from './placement-offer.ts';
import type { Placement } from './placer.ts';

/** What only the caller knows of a decision; digests are lower-case hexadecimal SHA-256. */
export interface DecisionInputs {
  readonly jobDigest: string;
  /** Of everything that could tighten the request: organisation policy and named profile. */
  readonly policyDigest: string;
  readonly labelDigest: string;
  readonly at: EpochMs;
}

/** Everything that a receipt says of one placement; signing it and fitting it to the wire is its caller's. */
export interface ReceiptDraft extends DecisionInputs {
  readonly inventoryEpoch: number;
  readonly considered: number;
  /** With `feasible` they sum to `considered`. */
  readonly refused: readonly ConstraintCount[];
  readonly feasible: number;
  readonly chosen: {
    readonly offer: OfferId;
    readonly offerEpoch: number;
    readonly agent: AgentId;
    readonly tier: Tier;
    readonly isolation: Isolation;
    readonly score: number;
    /** Absent at the organisation's own sites. */
    readonly price?: Price;
  };
  /** The claims that made the offer eligible. */
  readonly evidence: readonly CountedClaim[];
  /** When the first of them ends: the job has to be gone by then; absent where none was needed. */
  readonly evidenceUntil?: EpochMs;
}

/** The receipt of a placement that chose an offer; undefined for one that did not. */
export function receiptDraft(placement: Placement, inputs: DecisionInputs): ReceiptDraft | undefined {
  if (!placement.decision.allow) return undefined;
  const { chosen } = placement.decision;
  const { offer, offerEpoch, agent, tier, isolation, score, price, evidence } = chosen;
  const first = evidence.toSorted((a, b) => a.notAfter - b.notAfter)[0];
  return {
    ...inputs,
    inventoryEpoch: placement.inventoryEpoch,
    considered: placement.considered,
    refused: placement.explanation.refused,
    feasible: placement.feasible,
    chosen: { offer, offerEpoch, agent, tier, isolation, score, ...(price === undefined ? {} : { price }) },
    evidence,
    ...(first === undefined ? {} : { evidenceUntil: first.notAfter }),
  };
}
