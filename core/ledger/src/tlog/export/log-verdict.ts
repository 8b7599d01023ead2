import type { CheckpointFault, SignedCheckpoint } from '../note/tree-checkpoint.ts';
import type { TamperKind } from './tamper-kind.ts';

/**
 * Where a log was bent: the first wrong entry has an index of at least `index` and below `until`. It is `index` itself where
 * a signed hash, or the entry's own number, tells; else only the sizes of checkpoints bound it.
 */
export interface TamperFault {
  /** `rewritten`: other entries than were signed, nothing tells how. `forked`: two signed histories. `damaged-tile`: hashes only. */
  readonly code: TamperKind | 'rewritten' | 'forked' | 'rolled-back' | 'damaged-tile' | 'malformed-entry';
  readonly index: number;
  readonly until: number;
}

/** What makes an export unreadable, or nobody's. */
export interface ExportFault {
  readonly code: 'malformed' | 'no-checkpoint' | `checkpoint-${CheckpointFault}`;
  /** Number of the record, from 1; 0 for the whole export. */
  readonly record: number;
}

/** What a log's export was found to be. */
export type LogVerdict =
  | { readonly ok: true; readonly signed: SignedCheckpoint; readonly entries: number }
  /** The first wrong place first. */
  | { readonly ok: false; readonly faults: readonly (TamperFault | ExportFault)[] };
