import { concatBytes, equalBytes, Secret } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { decodeShare, encodeShare, SHARE_BYTES, type Share } from '../sharing/index.ts';
import { bigEndian, ByteReader, malformed } from './byte-reader.ts';
import { CLIENT_PHASES, type ClientState, type LiveNeighbour, type Neighbour } from './client-state.ts';
import { FRAME_TAGS, type FrameKind } from './frames.ts';
import { decodeSet, encodeSet, setBytes } from './member-set.ts';
import { maskContext, ROUND_SECRETS, type RoundSecrets } from './round-secrets.ts';
import type { Round } from './round.ts';

const VERSION = 1;
const HASH = 32;

/** A state as bytes, all its secrets among them: for a sealed place alone. The vector is not in it. */
export function encodeClient(state: ClientState): Secret {
  const { round, roster, survivors } = state;
  const size = roster?.members.length ?? 0;
  const copies: Uint8Array[] = [];
  const encode = (share: Share): Uint8Array => {
    const encoded = encodeShare(share);
    copies.push(encoded);
    return encoded;
  };
  const bytes = concatBytes(
    bigEndian(VERSION, 1),
    round.digest,
    bigEndian(state.member, 2),
    bigEndian(state.attempt, 1),
    bigEndian(state.step, 4),
    bigEndian(CLIENT_PHASES.indexOf(state.phase), 1),
    ...ROUND_SECRETS.map((name) => state.secrets[name].expose()),
    state.ownDigest,
    ...optional(roster, ({ members, root }) => [encodeSet(members, round.members.length), root]),
    ...list(state.expected, ({ place, index, digest }) => [
      bigEndian(place, 2),
      bigEndian(index, 2),
      ...optional(digest, (bytes) => [bytes]),
    ]),
    ...list(state.neighbours, neighbourParts),
    ...list(state.live, (peer) => [
      ...neighbourParts(peer),
      ...optional(peer.held, ({ self, key }) => [encode(self), encode(key)]),
    ]),
    ...list(state.silent, (place) => [bigEndian(place, 2)]),
    ...optional(survivors, ({ alive, dropped }) => [bigEndian(size, 2), alive, dropped]),
    ...optional(state.maskedDigest, (digest) => [digest]),
    ...list(state.seen, ({ kind, digest }) => [bigEndian(FRAME_TAGS[kind], 1), digest]),
    ...list(state.outbox, (frame) => [bigEndian(frame.length, 4), frame]),
  );
  for (const copy of copies) copy.fill(0);
  return new Secret(bytes);
}

/** The state of bytes that {@link encodeClient} made; throws FlError `inconsistent-model` for another round's, `malformed-frame` for anything else. */
export function decodeClient(round: Round, saved: Secret): ClientState {
  const reader = new ByteReader(saved.expose());
  if (reader.uint8() !== VERSION) throw malformed();
  if (!equalBytes(reader.bytes(HASH), round.digest))
    throw new FlError('inconsistent-model', 'this state is of a round with other parameters');
  const [member, attempt, step] = [reader.uint16(), reader.uint8(), reader.uint32()];
  const phase = CLIENT_PHASES[reader.uint8()];
  if (phase === undefined) throw malformed();
  const secrets = readSecrets(reader);
  const ownDigest = copy(reader, HASH);
  const roster = readOptional(reader, () => readRoster(reader, { round, member, attempt }));
  const expected = readList(reader, () => ({
    place: reader.uint16(),
    index: reader.uint16(),
    digest: readOptional(reader, () => copy(reader, HASH)),
  }));
  const neighbours = readList(reader, () => readNeighbour(reader));
  const live = readList(reader, () => readLive(reader));
  const silent = readList(reader, () => reader.uint16());
  const survivors = readOptional(reader, () => {
    const length = setBytes(reader.uint16());
    return { alive: copy(reader, length), dropped: copy(reader, length) };
  });
  const maskedDigest = readOptional(reader, () => copy(reader, HASH));
  const seen = readList(reader, () => ({ kind: kindOf(reader.uint8()), digest: copy(reader, HASH) }));
  const outbox = readList(reader, () => copy(reader, reader.uint32()));
  reader.end();
  return {
    round,
    member,
    attempt,
    step,
    phase,
    secrets,
    ownDigest,
    expected,
    neighbours,
    live,
    silent,
    seen,
    outbox,
    ...(roster === undefined ? {} : { roster }),
    ...(survivors === undefined ? {} : { survivors }),
    ...(maskedDigest === undefined ? {} : { maskedDigest }),
  };
}

function readSecrets(reader: ByteReader): RoundSecrets {
  const draw = (): Secret => new Secret(copy(reader, HASH));
  return { keySeed: draw(), selfSeed: draw(), shareKey: draw(), beacon: draw() };
}

function readRoster(reader: ByteReader, of: { round: Round; member: number; attempt: number }) {
  const members = decodeSet(reader.bytes(setBytes(of.round.members.length)), of.round.members.length);
  const root = copy(reader, HASH);
  return { members, place: members.indexOf(of.member), root, context: maskContext(of.round, of.attempt, root) };
}

function neighbourParts({ place, index, maskKey, shareKey }: Neighbour): Uint8Array[] {
  return [bigEndian(place, 2), bigEndian(index, 2), maskKey, shareKey];
}

function readNeighbour(reader: ByteReader): Neighbour {
  const [place, index] = [reader.uint16(), reader.uint16()];
  return { place, index, maskKey: copy(reader, HASH), shareKey: copy(reader, HASH) };
}

function readLive(reader: ByteReader): LiveNeighbour {
  const neighbour = readNeighbour(reader);
  const held = readOptional(reader, () => ({
    self: decodeShare(reader.bytes(SHARE_BYTES)),
    key: decodeShare(reader.bytes(SHARE_BYTES)),
  }));
  return { ...neighbour, held };
}

function kindOf(tag: number): FrameKind {
  for (const [kind, each] of Object.entries(FRAME_TAGS)) if (each === tag) return kind as FrameKind;
  throw malformed();
}

function optional<T>(value: T | undefined, parts: (value: T) => Uint8Array[]): Uint8Array[] {
  return value === undefined ? [bigEndian(0, 1)] : [bigEndian(1, 1), ...parts(value)];
}

function readOptional<T>(reader: ByteReader, read: () => T): T | undefined {
  const there = reader.uint8();
  if (there > 1) throw malformed();
  return there === 1 ? read() : undefined;
}

function list<T>(values: readonly T[], parts: (value: T) => Uint8Array[]): Uint8Array[] {
  return [bigEndian(values.length, 2), ...values.flatMap(parts)];
}

function readList<T>(reader: ByteReader, read: () => T): T[] {
  return Array.from({ length: reader.uint16() }, read);
}

function copy(reader: ByteReader, length: number): Uint8Array {
  return Uint8Array.from(reader.bytes(length));
}
