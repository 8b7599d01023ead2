import type { DeviceId, EpochMs, MemberId } from '@ringfence/base';
import type { AssuranceRules, Factor } from './factor.ts';
import type { Officer } from './officers.ts';
import type { Requirement } from './requirement.ts';

/**
 * `collecting` until enough members agree; `waiting` while a lone officer's delay runs; `ready` to be carried out; `done` when it was,
 * `ended` when it never will be.
 */
export type ProposalPhase = 'collecting' | 'waiting' | 'ready' | 'done' | 'ended';

/** An officer's device that agreed, and whose. */
export interface Approval {
  readonly device: DeviceId;
  readonly member: MemberId;
}

/** Something that takes two people: what exactly, who agreed, how far it is. */
export interface Proposal {
  readonly phase: ProposalPhase;
  /** SHA-256 of the very bytes that would be carried out, in hexadecimal. */
  readonly digest: string;
  readonly approvals: readonly Approval[];
  readonly expiresAt: EpochMs;
  /** How much of the delay has run, and until when that was counted. */
  readonly waitedMs: number;
  readonly lookedAt: EpochMs;
  readonly endedAs: 'objected' | 'expired' | null;
}

/** Who acts: a device, whose, and what this process verified of them just now. */
export interface Actor {
  readonly device: DeviceId;
  readonly member: MemberId;
  readonly factors: readonly Factor[];
}

/** What can happen to a proposal. */
export type ProposalEvent =
  | { readonly type: 'approved'; readonly by: Actor; readonly digest: string }
  /** By an owner or an officer; it takes no step-up to say no. */
  | { readonly type: 'objected'; readonly owner: boolean; readonly by: Pick<Actor, 'device' | 'member'> }
  /** Time passes, or the officers or their locks have changed. */
  | { readonly type: 'looked' }
  /** In the transaction that carries it out. */
  | { readonly type: 'taken'; readonly digest: string };

/** How long a lone officer waits. */
export interface LoneOfficerRule {
  readonly delayMs: number;
  /** For so long after genesis there is no delay. */
  readonly foundingMs: number;
}

/** What counts at this moment. */
export interface ProposalContext {
  readonly now: EpochMs;
  readonly officers: readonly Officer[];
  readonly requirement: Requirement;
  readonly rules: AssuranceRules;
  readonly loneOfficer: LoneOfficerRule;
  /** When the organisation's genesis was dated. */
  readonly foundedAt: EpochMs;
  /** The newest time that a signed word of the organisation bears (its keyring's head): a clock behind it was set back. */
  readonly newestWordAt: EpochMs;
}

/** What to do, in the transaction that stores the state. */
export type ProposalCommand =
  /** To every device of the organisation and whoever else it has named; `remainingMs` of a delay that runs. */
  | {
      readonly type: 'tell';
      readonly what: 'proposed' | 'approved' | 'waiting' | 'half-waited' | 'ready' | 'objected' | 'expired' | 'done';
      readonly remainingMs?: number;
    }
  /** A `looked` no later than in so many milliseconds. */
  | { readonly type: 'look-again'; readonly inMs: number }
  /** Carry out what has this digest: `taken` first, in the same transaction. */
  | { readonly type: 'carry-out'; readonly digest: string };

/** Why an event was refused; the state is then as it was. */
export type ProposalRefusal =
  | 'not-an-officer'
  | 'locked'
  | 'step-up'
  | 'other-digest'
  | 'over'
  | 'not-ready'
  | 'may-not-object';

/** The delay of a lone officer, in milliseconds: a day unless the organisation says otherwise, none on its first day. */
export const USUAL_LONE_OFFICER: LoneOfficerRule = { delayMs: 86_400_000, foundingMs: 86_400_000 };
/** How long a proposal collects, in milliseconds. */
export const PROPOSAL_LIFE_MS = 7 * 86_400_000;
/** One look counts for so much of a delay at the most: time in which nobody could object is no delay, nor is a clock that jumps. */
export const LOOK_COUNTS_MS = 60_000;
/** How often a delay is looked at, in milliseconds. */
export const LOOK_EVERY_MS = 30_000;
