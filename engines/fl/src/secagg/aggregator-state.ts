import type { FlErrorCode } from '../fl-error.ts';
import type { AggregatorCommand, AggregatorPhase, AggregatorPorts } from './aggregator-events.ts';
import type { Dealing } from './dealing.ts';
import type { Degree } from './degree.ts';
import { encodeFrame, type FrameBody } from './frames.ts';
import type { RoundKeys } from './key-statement.ts';
import { SECAGG_REFUSALS } from './refusal-code.ts';
import type { Round } from './round.ts';
import type { SurvivorSets } from './survivors.ts';
import type { UploadSlots } from './upload-slots.ts';

/** The roster that the aggregator drew up. */
export interface DrawnRoster {
  /** Member numbers by place, and the other way round. */
  readonly members: readonly number[];
  readonly placeOf: ReadonlyMap<number, number>;
  readonly keys: readonly RoundKeys[];
  readonly statements: readonly Uint8Array[];
  readonly root: Uint8Array;
  readonly context: Uint8Array;
  readonly degree: Degree;
  readonly rosterFrame: (place: number) => Uint8Array;
}

/** Encoded shares that came back of one client's seed. */
export interface GatheredShares {
  readonly bytes: Uint8Array;
  count: number;
}

/** All that the aggregator knows of a round. It changes in place: a state that was given to a step is used up. */
export interface AggregatorState {
  readonly round: Round;
  readonly ports: AggregatorPorts;
  phase: AggregatorPhase;
  attempt: number;
  /** Members who are out by what they sent, by having left, or by having come too late. */
  readonly out: Set<number>;
  /** Members whose keys this attempt waits for. */
  awaited: Set<number>;
  readonly statements: Map<number, { readonly bytes: Uint8Array; readonly keys: RoundKeys }>;
  roster: DrawnRoster | undefined;
  readonly beacons: Map<number, Uint8Array>;
  logFrame: Uint8Array | undefined;
  /** What the end of the round was told with. */
  lastFrame: Uint8Array | undefined;
  /** Neighbours by place. */
  neighbours: readonly (readonly number[])[];
  readonly dealings: Map<number, Dealing & { readonly signature: Uint8Array }>;
  readonly sum: Uint32Array;
  readonly uploads: UploadSlots;
  /** Places whose vectors are in the sum. */
  readonly folded: Set<number>;
  sets: SurvivorSets | undefined;
  readonly consents: Map<number, Uint8Array>;
  /** Places that were sent enough signatures to answer. */
  readonly asked: Set<number>;
  readonly answered: Map<number, Uint8Array>;
  readonly gathered: Map<number, GatheredShares>;
  /** Clients of whose seed enough shares came back. */
  complete: number;
}

/** The state after a step, and what the house is to do. */
export interface AggregatorStep {
  readonly state: AggregatorState;
  readonly commands: readonly AggregatorCommand[];
}

/** A frame of this round and attempt for the member at a place. */
export function frameOf(state: AggregatorState, body: FrameBody): Uint8Array {
  return encodeFrame({ round: state.round.round, attempt: state.attempt, body });
}

/** Sends a frame to the client at a place of the roster. */
export function sendTo(state: AggregatorState, place: number, frame: Uint8Array): AggregatorCommand {
  return { kind: 'send', member: state.roster?.members[place] ?? -1, frame };
}

/** Puts a member out; what it gave before stays. */
export function exclude(state: AggregatorState, member: number, code: FlErrorCode): AggregatorCommand[] {
  if (state.out.has(member)) return [];
  state.out.add(member);
  return [
    { kind: 'exclude', member, code },
    { kind: 'send', member, frame: abortFrame(state, code) },
  ];
}

/** Says why the round is over for whom it is sent to. */
export function abortFrame(state: AggregatorState, code: FlErrorCode): Uint8Array {
  const index = (SECAGG_REFUSALS as readonly FlErrorCode[]).indexOf(code);
  return frameOf(state, { kind: 'abort', code: index < 0 ? SECAGG_REFUSALS.indexOf('malformed-frame') : index });
}

/** What is kept of a round at the aggregator: its number and how far it came (version, round, phase). No secrets. */
export function recordOf(state: AggregatorState): Uint8Array {
  const record = Buffer.alloc(6);
  record.writeUInt8(1);
  record.writeUInt32BE(state.round.round, 1);
  record.writeUInt8(RECORDED.indexOf(state.phase), 5);
  return record;
}

/** The round of a record: whatever its phase was, it is burned; it was `asked` for answers or is `over`. Undefined for other bytes. */
export function readRecord(record: Uint8Array): { round: number; asked: boolean; over: boolean } | undefined {
  const bytes = Buffer.from(record);
  if (bytes.length !== 6 || bytes[0] !== 1) return undefined;
  const phase = RECORDED[bytes[5] as number];
  if (phase === undefined) return undefined;
  const over = phase === 'finished' || phase === 'aborted';
  return { round: bytes.readUInt32BE(1), asked: over || phase === 'consents' || phase === 'answers', over };
}

const RECORDED: readonly AggregatorPhase[] = [
  'keys',
  'reveals',
  'shares',
  'vectors',
  'consents',
  'answers',
  'finished',
  'aborted',
];
