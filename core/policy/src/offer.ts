import type { EpochMs } from '@ringfence/base';
import type { EVIDENCE_STANDARDS } from '@ringfence/protocol';
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
