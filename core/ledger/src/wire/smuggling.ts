import type { MessageName } from '@ringfence/protocol/messages';

/** Bits that one chooser could have put into what left. */
export interface ChoiceBits {
  /** The most that went with the steps of one attempt. */
  readonly perAttempt: number;
  /** The most in any 60 seconds beside that: of one attempt for `job`, of the whole link for `agent`. */
  readonly perMinute: number;
  readonly total: number;
}

/** One line of the account. */
export interface SmugglingLine {
  readonly message: MessageName | 'open' | 'any';
  readonly field: string;
  readonly chooser: 'job' | 'agent';
  readonly bits: number;
}

/** The most bits that could have been smuggled out through a link, by who would have had to choose them. */
export interface Smuggling {
  /** A job in its sandbox, under an honest agent. */
  readonly job: ChoiceBits;
  /** An agent (or custodian) whose own code is hostile and yet passes every check of this verification. */
  readonly agent: ChoiceBits & {
    readonly perConnection: number;
    /** With the first offer and the committed seeds. */ readonly once: number;
  };
  readonly goal: { readonly perAttempt: number; readonly perMinute: number };
  readonly jobMeetsGoal: boolean;
  readonly agentMeetsGoal: boolean;
  /** Signatures were made again with the party's key and are the same: they carry nothing. */
  readonly signaturesFixed: boolean;
  /** Open frames were made again from the committed seed and are the same: they carry nothing. */
  readonly handshakesFixed: boolean;
  readonly lines: readonly SmugglingLine[];
  readonly notCounted: readonly string[];
}
