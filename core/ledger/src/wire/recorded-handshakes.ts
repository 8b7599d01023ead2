import { equalBytes } from '@ringfence/base';
import type { HandshakeSeed } from '@ringfence/crypto/channel';
import { beginHandshake, type PinnedControlPlane } from '@ringfence/protocol/frames';
import type { JournalRecordOf } from '../journal/journal-record.ts';
import type { JournalOwner } from '../journal/link-state.ts';

/** Where the random numbers of an open frame came from: the committed seed, nobody knows, or not the seed that was committed to. */
export type HandshakeOrigin = 'derived' | 'free' | 'other';

/** Makes open frames again from the seed that the journal commits to. */
export class RecordedHandshakes {
  /** How many open frames there were before the next one. */
  opened = 0;
  readonly #seed: HandshakeSeed | undefined;
  #commitment: string | undefined;
  #commitments = 0;

  constructor(seed: HandshakeSeed | undefined) {
    this.#seed = seed;
  }

  /** How often the journal named a seed that it had not named before: each could have been chosen with a purpose. */
  get commitments(): number {
    return this.#commitments;
  }

  /** A start or a checkpoint names the seed in force. */
  committed(commitment: string | undefined): void {
    if (commitment !== undefined && commitment !== this.#commitment) this.#commitments += 1;
    this.#commitment = commitment;
  }

  /** Judges the next open frame. */
  judge(
    { frame }: JournalRecordOf<'open'>,
    { party }: Pick<JournalOwner, 'party'>,
    pinned: PinnedControlPlane,
  ): HandshakeOrigin {
    const index = this.opened;
    this.opened += 1;
    if (this.#seed === undefined || this.#seed.commitment !== this.#commitment) return 'free';
    const made = beginHandshake(party, pinned, this.#seed.rng(index)).open;
    return equalBytes(made, Buffer.from(frame, 'base64')) ? 'derived' : 'other';
  }
}
