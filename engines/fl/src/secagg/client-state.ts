import type { ClientCommand } from './client-events.ts';
import type { FrameKind } from './frames.ts';
import { wipeSecrets, type RoundSecrets } from './round-secrets.ts';
import type { Round } from './round.ts';
import type { SharePair } from './share-letter.ts';
import type { SurvivorSets } from './survivors.ts';

/** Where a client stands: which frame it waits for next. */
export const CLIENT_PHASES = [
  'roster',
  'log',
  'peers',
  'inbox',
  'input',
  'upload',
  'unmask',
  'done',
  'finished',
  'aborted',
] as const;

/** One of {@link CLIENT_PHASES}. */
export type ClientPhase = (typeof CLIENT_PHASES)[number];

/** The roster that a client has taken. */
export interface TakenRoster {
  /** Member numbers by place. */
  readonly members: readonly number[];
  readonly place: number;
  readonly root: Uint8Array;
  readonly context: Uint8Array;
}

/** A neighbour, by its keys. */
export interface Neighbour {
  readonly place: number;
  /** Which of its shares is this client's, from 1. */
  readonly index: number;
  readonly maskKey: Uint8Array;
  readonly shareKey: Uint8Array;
}

/** What is known of a neighbour before its keys have come; the digest of its key statement where the log gave it. */
export interface ExpectedNeighbour {
  readonly place: number;
  readonly index: number;
  readonly digest: Uint8Array | undefined;
}

/** A neighbour that dealt shares; without any where they did not fit. */
export interface LiveNeighbour extends Neighbour {
  readonly held: SharePair | undefined;
}

/** A frame that was acted upon. */
export interface SeenFrame {
  readonly kind: FrameKind;
  readonly digest: Uint8Array;
}

/** All that a client knows of a round. Values are replaced, never changed; only the secrets in it are wiped. */
export interface ClientState {
  readonly round: Round;
  readonly member: number;
  readonly attempt: number;
  /** Counts what was stored. */
  readonly step: number;
  readonly phase: ClientPhase;
  readonly secrets: RoundSecrets;
  readonly roster?: TakenRoster;
  readonly expected: readonly ExpectedNeighbour[];
  readonly neighbours: readonly Neighbour[];
  readonly live: readonly LiveNeighbour[];
  /** Places of the neighbours that dealt nothing. */
  readonly silent: readonly number[];
  readonly survivors?: SurvivorSets;
  /** Digest of the masked vector that may have been sent. */
  readonly maskedDigest?: Uint8Array;
  /** Digest of the own key statement. */
  readonly ownDigest: Uint8Array;
  /** Digests of the frames acted upon: the same again changes nothing, another of the kind is refused. */
  readonly seen: readonly SeenFrame[];
  /** What was sent for the last of them. */
  readonly outbox: readonly Uint8Array[];
  /** Not stored: the house gives the vector again after a restart. */
  readonly vector?: Uint32Array;
  readonly masked?: Uint8Array;
}

/** A client's state after a step, and what its house is to do. */
export interface ClientStep {
  readonly state: ClientState;
  readonly commands: readonly ClientCommand[];
}

/** A place in the order of all that a member ever stores for a contract: rounds first, then steps. */
export function sequenceOf(round: number, step: number): number {
  return round * STEPS_A_ROUND + step;
}

/** Whether the round is over for this client. */
export function isOver({ phase }: ClientState): boolean {
  return phase === 'finished' || phase === 'aborted';
}

/** Destroys what a client drew in a round and what it holds of others. */
export function wipeClient({ secrets, live }: ClientState): void {
  wipeSecrets(secrets);
  for (const { held } of live)
    for (const share of held === undefined ? [] : [held.self, held.key]) share.value[Symbol.dispose]();
}

/** More than any round stores. */
const STEPS_A_ROUND = 1_024;
