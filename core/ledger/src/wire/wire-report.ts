import type { FrameRefusal } from '@ringfence/protocol/frames';
import type { Smuggling } from './smuggling.ts';

/** What can be wrong with a journal whose chain is whole. */
export type WireProblemCode =
  /** What the rules of frames refuse. */
  | FrameRefusal
  /** A record names a connection that was not opened, or one that was. */
  | 'connection'
  /** The keys of the connection are missing. */
  | 'no-session-keys'
  /** There are keys of a connection that no record opened: records were left out. */
  | 'no-connection'
  /** The frame sealed again is not the frame that crossed. */
  | 'wire'
  /** A message crossed whose number does not exist. */
  | 'unknown'
  /** A party's durable message is not the one that it had stored under this id. */
  | 'not-queued'
  /** A hello or acknowledgement names a journal point that is not this journal's. */
  | 'journal-point'
  /** The bytes that crossed are not those of the recorded frames. */
  | 'bytes'
  /** An open frame is not the one that the committed seed gives. */
  | 'handshake-seed'
  /** A checkpoint is not signed by the party, or does not say what the records before it say. */
  | 'checkpoint'
  /** A TCP connection was closed that was not opened, or twice. */
  | 'socket';

/** One thing that is wrong, at one record. */
export interface WireProblem {
  readonly seq: number;
  readonly code: WireProblemCode;
}

/** Bytes and frames of one connection. */
export interface WireConnection {
  readonly conn: string;
  /** Milliseconds since 1970 of its first and its last record. */
  readonly from: number;
  readonly to: number;
  /** Bytes of frames that crossed, handshake and refused ones included; `out` of a connection that is not closed is an upper bound. */
  readonly in: number;
  readonly out: number;
  readonly framesIn: number;
  readonly framesOut: number;
  /** A disconnect record closes it; a crash leaves none. */
  readonly closed: boolean;
}

/** One TCP connection towards a control plane, or to the proxy before it. */
export interface WireSocket {
  /** Number of its dial record. */
  readonly dial: number;
  /** `HOST:PORT` as it was dialled, and the two ends of the TCP connection. */
  readonly to: string;
  readonly via: 'direct' | 'proxy';
  readonly local: string;
  readonly remote: string;
  readonly from: number;
  /** When it was closed, and the bytes of TCP payload that the party had read and written by then. */
  readonly closed: { readonly at: number; readonly in: number; readonly out: number } | undefined;
  /** Sizes of the frames that it sent over this connection, in their order. */
  readonly framesOut: readonly number[];
}

/** How often a message crossed, and in how many bytes of frames. */
export interface WireCount {
  readonly name: string;
  readonly dir: 'in' | 'out';
  readonly frames: number;
  readonly bytes: number;
}

/** What a journal proves about everything that crossed a control link. */
export interface WireReport {
  /** Every record was decoded, every frame sealed again to the bytes that crossed, and no rule was broken. */
  readonly ok: boolean;
  /** Number of the first record that is there: 1, or a checkpoint's behind segments that were removed. */
  readonly from: number;
  /** Number of the last record. */
  readonly records: number;
  /** Hash of the last record, 64 zeros without one: what to compare with the point that the control plane acknowledged last. */
  readonly head: string;
  /** The first {@link MOST_PROBLEMS}; `problemCount` counts all. */
  readonly problems: readonly WireProblem[];
  readonly problemCount: number;
  readonly connections: readonly WireConnection[];
  /** TCP connections towards the control plane, as the party recorded them. */
  readonly sockets: readonly WireSocket[];
  readonly messages: readonly WireCount[];
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly smuggling: Smuggling;
}

/** So many problems are listed. */
export const MOST_PROBLEMS = 1_000;
