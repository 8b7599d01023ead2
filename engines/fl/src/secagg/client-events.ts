import type { Rng, Secret } from '@ringfence/base';
import type { SigningKey } from '@ringfence/crypto/sign';
import type { FlErrorCode } from '../fl-error.ts';

/** What a client's step needs of the house beside its state: the key behind its member's identity, and chance. */
export interface ClientPorts {
  readonly identity: SigningKey;
  readonly rng: Rng;
}

/** What happens to a client. */
export type ClientEvent =
  /** A frame came from the aggregator, over a link that names it. */
  | { readonly kind: 'frame'; readonly frame: Uint8Array }
  /** The vector to be summed: `length` values below 2^width. Taken over: do not change it afterwards. */
  | { readonly kind: 'input'; readonly vector: Uint32Array }
  /** The link is up again: what was sent last may be lost. */
  | { readonly kind: 'connected' }
  /** The house gives the round up (withdrawn contract, deadline, stop). */
  | { readonly kind: 'stop' };

/** What a client asks of its house, to be carried out in order: nothing after a `persist` before that is on disk. */
export type ClientCommand =
  /**
   * Seal and store `state` in place of the one before, and `sequence` where a restore of the state does not bring an older one back. Both durable before the next command.
   * `state` is a copy of the client's secrets: wipe it once it is sealed.
   */
  | { readonly kind: 'persist'; readonly state: Secret; readonly sequence: number }
  | { readonly kind: 'send'; readonly frame: Uint8Array }
  /** The roster stands and covers enough; an `input` is wanted (now, or given already). */
  | { readonly kind: 'need-input' }
  /** A peer dealt a share that does not fit its commitment; the round goes on without that share. */
  | { readonly kind: 'accuse'; readonly member: number; readonly code: FlErrorCode }
  /** The sum was made with this client's vector in it. What is stored can be destroyed; the sequence has to stay. */
  | { readonly kind: 'finished'; readonly outcome: ClientOutcome }
  /** The client has left the round; its secrets are wiped, and what is stored of them is to be destroyed, but for the sequence. `member` is who caused it, where that is a member. */
  | { readonly kind: 'aborted'; readonly code: FlErrorCode; readonly member?: number };

/** What a client knows at the end of a round. */
export interface ClientOutcome {
  /** Member numbers whose vectors are in the sum. */
  readonly included: readonly number[];
  /** Root of the round's transcript and the aggregator's signature of it. */
  readonly transcriptRoot: Uint8Array;
  readonly signature: Uint8Array;
}
