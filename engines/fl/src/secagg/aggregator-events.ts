import type { Rng } from '@ringfence/base';
import type { SigningKey } from '@ringfence/crypto/sign';
import type { FlErrorCode } from '../fl-error.ts';

/** Where a round stands at the aggregator; each but the last two ends by its deadline at the latest. */
export type AggregatorPhase =
  | 'keys'
  | 'reveals'
  | 'shares'
  | 'vectors'
  | 'consents'
  | 'answers'
  | 'finished'
  | 'aborted';

/** What an aggregator's step needs of the house beside its state. */
export interface AggregatorPorts {
  /** The key behind the contract's `aggregator`. */
  readonly identity: SigningKey;
  readonly rng: Rng;
}

/** What happens to the aggregator. */
export type AggregatorEvent =
  /** A frame came over the link of this member. */
  | { readonly kind: 'frame'; readonly member: number; readonly frame: Uint8Array }
  /** This member's link is up again: what was sent last may be lost. */
  | { readonly kind: 'connected'; readonly member: number }
  /** The deadline that was armed for this phase has come; ignored when the phase is over. */
  | { readonly kind: 'deadline'; readonly phase: AggregatorPhase }
  /** Uploads that got no further since the last such event, while others wait, lose their place. */
  | { readonly kind: 'stalled-uploads' }
  /** The house gives the round up. */
  | { readonly kind: 'stop' };

/** What the aggregator asks of its house, in order: nothing after a `persist` before that is on disk. */
export type AggregatorCommand =
  /** Store in place of the record before: which round was opened and how far it came (`readRecord`): a restarted aggregator opens a later one. Holds no secrets. */
  | { readonly kind: 'persist'; readonly record: Uint8Array }
  | { readonly kind: 'send'; readonly member: number; readonly frame: Uint8Array }
  /** Give a `deadline` event of this phase when its time is over. */
  | { readonly kind: 'arm'; readonly phase: AggregatorPhase }
  /** This member is out of the round, by what it sent. */
  | { readonly kind: 'exclude'; readonly member: number; readonly code: FlErrorCode }
  | { readonly kind: 'finished'; readonly outcome: AggregatorOutcome }
  | { readonly kind: 'aborted'; readonly code: FlErrorCode; readonly member?: number };

/** What comes of a round. */
export interface AggregatorOutcome {
  /** The sum of the included vectors, mod 2^width. */
  readonly sum: Uint32Array;
  /** Member numbers whose vectors are in the sum. */
  readonly included: readonly number[];
  /** The transcript's entries, in order (docs/protocol/secure-aggregation.md, "Transcript"). */
  readonly transcript: readonly Uint8Array[];
  readonly transcriptRoot: Uint8Array;
  /** The aggregator's signature of round digest and root. */
  readonly signature: Uint8Array;
}
