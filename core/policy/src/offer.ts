import type { AgentId, EpochMs, OfferId, SiteId } from '@ringfence/base';
import type { EVIDENCE_STANDARDS, Isolation, Tier } from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import type { EvidenceGrade } from './strictness.ts';

/** A verified claim about a site. */
export interface OfferEvidence {
  readonly digest: string;
  readonly standard: (typeof EVIDENCE_STANDARDS)[number];
  readonly grade: EvidenceGrade;
  readonly issuedAt: EpochMs;
  readonly notAfter: EpochMs;
}

/** What is free at a machine: thousandths of a CPU, bytes, whole GPUs. */
export interface FreeResources {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpus: readonly { readonly model: string; readonly memoryBytes: number; readonly count: number }[];
}

/** One machine as placement sees it; everything that a constraint may need is on the row. */
export interface OfferRow {
  readonly offer: OfferId;
  readonly agent: AgentId;
  readonly site: SiteId;
  /** Rises with each sending of the offer; the receipt names it. */
  readonly epoch: number;
  readonly tier: Tier;
  /** Whose law applies there; unknown when empty. */
  readonly jurisdictions: readonly string[];
  readonly isolations: readonly Isolation[];
  readonly tees: PlacementPart['tees'];
  /** Memory limits are enforced by the kernel. */
  readonly hardLimits: boolean;
  readonly evidence: readonly OfferEvidence[];
  readonly free: FreeResources;
  readonly online: boolean;
  readonly locked: boolean;
  /** It offers no disk at all, which an agent says whose disk is nearly full: no job fits, not even one that asks for none. */
  readonly diskFull?: boolean;
  /** It is to get no new work. */
  readonly draining?: boolean;
  /** The custodian that would grant the job is not there: nothing would start. */
  readonly custodianAway?: boolean;
  /** May be taken away at any time; absent: it may not. */
  readonly spot?: boolean;
  /** An hour, the whole machine's share that the job asks for; absent at the organisation's own sites. */
  readonly price?: { readonly microUnits: number; readonly currency: string };
}
