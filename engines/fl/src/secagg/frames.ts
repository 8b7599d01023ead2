import { concatBytes } from '@ringfence/base';
import { SHARE_BYTES, SHARE_COMMITMENT_BYTES } from '../sharing/index.ts';
import { bigEndian, ByteReader, malformed } from './byte-reader.ts';

/** Bytes of a key statement: what is signed, and the signature. */
export const STATEMENT_BYTES = 32 + 1 + 2 + 3 * 32 + 64;
/** Bytes of two shares sealed to one neighbour (AES-256-GCM), and with the commitments to both. */
export const SEALED_SHARES_BYTES = 2 * SHARE_BYTES + 16;
export const DEALT_BYTES = SEALED_SHARES_BYTES + 2 * SHARE_COMMITMENT_BYTES;
const HASH = 32;
const SIGNATURE = 64;

/** What frames carry; `place` is a place on the roster. */
export type FrameBody =
  // From a client.
  | { readonly kind: 'keys'; readonly statement: Uint8Array }
  | { readonly kind: 'reveal'; readonly beacon: Uint8Array }
  | {
      readonly kind: 'shares';
      readonly seedCommitment: Uint8Array;
      /** {@link DEALT_BYTES} for each neighbour, in the order of their places. */
      readonly dealt: Uint8Array;
      readonly signature: Uint8Array;
    }
  | { readonly kind: 'ready' }
  | { readonly kind: 'chunk'; readonly index: number; readonly bytes: Uint8Array }
  | { readonly kind: 'consent'; readonly signature: Uint8Array }
  | { readonly kind: 'answer'; readonly shares: readonly PlacedBytes[] }
  | { readonly kind: 'quit'; readonly code: number }
  // From the aggregator.
  | {
      readonly kind: 'roster';
      readonly root: Uint8Array;
      readonly signature: Uint8Array;
      readonly members: Uint8Array;
      readonly proof: readonly Uint8Array[];
    }
  | { readonly kind: 'log'; readonly leaves: readonly { readonly beacon: Uint8Array; readonly digest: Uint8Array }[] }
  | { readonly kind: 'peers'; readonly statements: readonly Uint8Array[] }
  | { readonly kind: 'inbox'; readonly letters: readonly PlacedBytes[] }
  | { readonly kind: 'upload'; readonly from: number; readonly count: number }
  | { readonly kind: 'survivors'; readonly alive: Uint8Array; readonly dropped: Uint8Array }
  | { readonly kind: 'unmask'; readonly signatures: readonly PlacedBytes[] }
  | { readonly kind: 'done'; readonly root: Uint8Array; readonly signature: Uint8Array }
  | { readonly kind: 'again' }
  | { readonly kind: 'abort'; readonly code: number };

/** Something of or about the client at a place of the roster. */
export interface PlacedBytes {
  readonly place: number;
  readonly bytes: Uint8Array;
}

/** A frame: which round and attempt it belongs to, and what it carries. */
export interface Frame {
  readonly round: number;
  readonly attempt: number;
  readonly body: FrameBody;
}

/** What a frame is called. */
export type FrameKind = FrameBody['kind'];

/** The first byte of a frame, by kind. */
export const FRAME_TAGS = {
  keys: 1,
  reveal: 2,
  shares: 3,
  ready: 4,
  chunk: 5,
  consent: 6,
  answer: 7,
  quit: 8,
  roster: 17,
  log: 18,
  peers: 19,
  inbox: 20,
  upload: 21,
  survivors: 22,
  unmask: 23,
  done: 24,
  again: 25,
  abort: 26,
} as const satisfies Record<FrameKind, number>;

const KINDS = new Map<number, FrameKind>(
  Object.entries(FRAME_TAGS).map(([kind, tag]) => [tag, kind as FrameKind] as const),
);

/** tag ‖ round (32 bits) ‖ attempt (8 bits) ‖ body; numbers big-endian. */
export function encodeFrame({ round, attempt, body }: Frame): Uint8Array {
  const head = [bigEndian(FRAME_TAGS[body.kind], 1), bigEndian(round, 4), bigEndian(attempt, 1)];
  return concatBytes(...head, ...bodyParts(body));
}

/** The frame of bytes that a peer sent; parts are views of them. Throws FlError `malformed-frame` for anything that {@link encodeFrame} does not make. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes);
  const kind = KINDS.get(reader.uint8());
  if (kind === undefined) throw malformed();
  const [round, attempt] = [reader.uint32(), reader.uint8()];
  const body = readBody(kind, reader);
  reader.end();
  return { round, attempt, body };
}

function bodyParts(body: FrameBody): Uint8Array[] {
  switch (body.kind) {
    case 'keys':
      return [body.statement];
    case 'reveal':
      return [body.beacon];
    case 'shares':
      return [body.signature, body.seedCommitment, body.dealt];
    case 'chunk':
      return [bigEndian(body.index, 4), body.bytes];
    case 'consent':
      return [body.signature];
    case 'answer':
      return placedParts(body.shares);
    case 'quit':
    case 'abort':
      return [bigEndian(body.code, 1)];
    case 'roster':
      return [body.root, body.signature, bigEndian(body.members.length, 2), body.members, ...body.proof];
    case 'log':
      return body.leaves.flatMap(({ beacon, digest }) => [beacon, digest]);
    case 'peers':
      return [...body.statements];
    case 'inbox':
      return placedParts(body.letters);
    case 'upload':
      return [bigEndian(body.from, 4), bigEndian(body.count, 1)];
    case 'survivors':
      return [bigEndian(body.alive.length, 2), body.alive, body.dropped];
    case 'unmask':
      return placedParts(body.signatures);
    case 'done':
      return [body.root, body.signature];
    case 'ready':
    case 'again':
      return [];
  }
}

function readBody(kind: FrameKind, reader: ByteReader): FrameBody {
  switch (kind) {
    case 'keys':
      return { kind, statement: reader.bytes(STATEMENT_BYTES) };
    case 'reveal':
      return { kind, beacon: reader.bytes(HASH) };
    case 'shares': {
      const [signature, seedCommitment] = [reader.bytes(SIGNATURE), reader.bytes(HASH)];
      const dealt = reader.rest();
      if (dealt.length % DEALT_BYTES !== 0) throw malformed();
      return { kind, signature, seedCommitment, dealt };
    }
    case 'chunk':
      return { kind, index: reader.uint32(), bytes: reader.rest() };
    case 'consent':
      return { kind, signature: reader.bytes(SIGNATURE) };
    case 'answer':
      return { kind, shares: readPlaced(reader, SHARE_BYTES) };
    case 'quit':
    case 'abort':
      return { kind, code: reader.uint8() };
    case 'roster':
      return readRoster(reader);
    case 'log':
      return { kind, leaves: reader.all((each) => ({ beacon: each.bytes(HASH), digest: each.bytes(HASH) })) };
    case 'peers':
      return { kind, statements: reader.all((each) => each.bytes(STATEMENT_BYTES)) };
    case 'inbox':
      return { kind, letters: readPlaced(reader, DEALT_BYTES) };
    case 'upload':
      return { kind, from: reader.uint32(), count: reader.uint8() };
    case 'survivors': {
      const length = reader.uint16();
      return { kind, alive: reader.bytes(length), dropped: reader.bytes(length) };
    }
    case 'unmask':
      return { kind, signatures: readPlaced(reader, SIGNATURE) };
    case 'done':
      return { kind, root: reader.bytes(HASH), signature: reader.bytes(SIGNATURE) };
    case 'ready':
    case 'again':
      return { kind };
  }
}

function readRoster(reader: ByteReader): FrameBody {
  const [root, signature] = [reader.bytes(HASH), reader.bytes(SIGNATURE)];
  const members = reader.bytes(reader.uint16());
  return { kind: 'roster', root, signature, members, proof: reader.all((each) => each.bytes(HASH)) };
}

function placedParts(placed: readonly PlacedBytes[]): Uint8Array[] {
  return placed.flatMap(({ place, bytes }) => [bigEndian(place, 2), bytes]);
}

function readPlaced(reader: ByteReader, length: number): PlacedBytes[] {
  return reader.all((each) => ({ place: each.uint16(), bytes: each.bytes(length) }));
}
