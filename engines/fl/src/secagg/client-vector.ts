import { equalBytes, Secret } from '@ringfence/base';
import { x25519PrivateKey, x25519Secret } from '@ringfence/crypto/key-agreement';
import { sha256 } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import { addMasks, packRing, ringMask, type SignedMask } from '../ring/index.ts';
import { malformed } from './byte-reader.ts';
import type { ClientCommand } from './client-events.ts';
import { rosterOf } from './client-setup.ts';
import type { ClientState, ClientStep, LiveNeighbour, Neighbour } from './client-state.ts';
import { degreeOf } from './degree.ts';
import { encodeFrame, type FrameBody } from './frames.ts';
import { maskKeyOf, pairMaskSeed, selfMaskSeed } from './round-secrets.ts';
import { CHUNK_BYTES } from './round.ts';
import { openLetter } from './share-letter.ts';

type Body<Kind extends FrameBody['kind']> = Extract<FrameBody, { kind: Kind }>;

/** Takes the neighbours' shares: with those who dealt, and no others, masks are made. */
export function takeInbox(state: ClientState, { letters }: Body<'inbox'>): ClientStep {
  const roster = rosterOf(state);
  const own = x25519PrivateKey(state.secrets.shareKey.expose());
  const accused: ClientCommand[] = [];
  const byPlace = new Map(state.neighbours.map((neighbour) => [neighbour.place, neighbour]));
  let last = -1;
  const live = letters.map((letter): LiveNeighbour => {
    const neighbour = byPlace.get(letter.place);
    if (neighbour === undefined || letter.place <= last) throw malformed();
    last = letter.place;
    const route = { context: roster.context, from: letter.place, to: roster.place, own, peer: neighbour.shareKey };
    try {
      return { ...neighbour, held: openLetter(route, letter.bytes, neighbour.index) };
    } catch (error) {
      if (!(error instanceof FlError)) throw error;
      accused.push({ kind: 'accuse', member: roster.members[letter.place] as number, code: error.code });
      return { ...neighbour, held: undefined };
    }
  });
  if (live.length < degreeOf(state.round, roster.members.length).threshold)
    throw new FlError('too-few-survivors', 'fewer neighbours dealt shares than have to answer');
  const dealt = new Set(live.map(({ place }) => place));
  const silent = state.neighbours.map(({ place }) => place).filter((place) => !dealt.has(place));
  const next: ClientState = { ...state, live, silent, neighbours: [], phase: 'input', outbox: [] };
  if (state.vector === undefined) return { state: next, commands: accused };
  const masked = takeVector(next, state.vector);
  return { state: masked.state, commands: [...accused, ...masked.commands] };
}

/** Masks the vector, once it is known with whom; given again after a restart it has to be the same. */
export function takeVector(state: ClientState, vector: Uint32Array): ClientStep {
  if (state.masked !== undefined || (state.phase !== 'input' && state.phase !== 'upload'))
    return { state: state.maskedDigest === undefined ? { ...state, vector } : state, commands: [] };
  const { round, attempt } = state;
  const most = ringMask(round.width);
  if (vector.length !== round.length || vector.some((value) => value > most))
    throw new FlError('bad-size', 'the vector has another length or larger values than the round has agreed on');
  const masked = maskVector(state, vector);
  const digest = sha256(masked);
  if (state.maskedDigest !== undefined && !equalBytes(state.maskedDigest, digest))
    throw new FlError('other-vector', 'two vectors under one mask would show their difference');
  const frame = encodeFrame({ round: round.round, attempt, body: { kind: 'ready' } });
  const { vector: _vector, ...rest } = state;
  return {
    state: { ...rest, masked, maskedDigest: digest, phase: 'upload', outbox: [frame] },
    commands: [{ kind: 'send', frame }],
  };
}

function maskVector(state: ClientState, vector: Uint32Array): Uint8Array {
  const { context, place } = rosterOf(state);
  const own = maskKeyOf(state.secrets.keySeed);
  const masks: SignedMask[] = [
    { seed: selfMaskSeed(state.secrets.selfSeed, context), sign: 1 },
    ...state.live.map((peer: Neighbour): SignedMask => {
      using agreed = new Secret(x25519Secret(own, peer.maskKey));
      return { seed: pairMaskSeed(agreed, context), sign: pairSign(place, peer.place) };
    }),
  ];
  addMasks(vector, masks, state.round.width);
  for (const { seed } of masks) seed[Symbol.dispose]();
  return packRing(vector, state.round.width);
}

/** With which sign a client at `place` adds the mask that it shares with one at `peer`: opposite ones, so they cancel. */
export function pairSign(place: number, peer: number): 1 | -1 {
  return place < peer ? 1 : -1;
}

/** Sends the pieces of the masked vector that the aggregator has room for. */
export function takeUpload(state: ClientState, { from, count }: Body<'upload'>): ClientStep {
  const { masked, round, attempt } = state;
  // After a restart the vector has to be masked again first; after the survivors are named nothing is sent any more.
  if (masked === undefined || state.phase !== 'upload') return { state, commands: [] };
  const chunks = Math.ceil(masked.length / CHUNK_BYTES);
  if (from + count > chunks) throw malformed();
  const commands = Array.from({ length: count }, (_, at): ClientCommand => {
    const index = from + at;
    const bytes = masked.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
    return { kind: 'send', frame: encodeFrame({ round: round.round, attempt, body: { kind: 'chunk', index, bytes } }) };
  });
  return { state, commands };
}
