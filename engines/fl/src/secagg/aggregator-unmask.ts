import type { KeyObject } from 'node:crypto';
import { concatBytes, equalBytes, Secret } from '@ringfence/base';
import { x25519PublicKey, x25519Secret } from '@ringfence/crypto/key-agreement';
import { sha256 } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import { addMasks, packRing, reduce, type SignedMask } from '../ring/index.ts';
import { combine, decodeShare, opensCommitment, SHARE_BYTES } from '../sharing/index.ts';
import type { AggregatorCommand, AggregatorOutcome } from './aggregator-events.ts';
import { rosterOf } from './aggregator-setup.ts';
import { frameOf, recordOf, sendTo, exclude, type AggregatorState } from './aggregator-state.ts';
import { addHeldVectors } from './aggregator-vector.ts';
import { blame } from './blame.ts';
import { bigEndian } from './byte-reader.ts';
import { pairSign } from './client-vector.ts';
import type { PlacedBytes } from './frames.ts';
import { encodeSet } from './member-set.ts';
import { maskKeyOf, maskPublicKeyOf, opensSeedCommitment, pairMaskSeed, selfMaskSeed } from './round-secrets.ts';
import { unitsOf } from './round.ts';
import { commitmentIn, dealtTo } from './share-letter.ts';
import { isConsent } from './survivors.ts';
import { signTranscript, transcriptRoot } from './transcript.ts';

/** Names the survivors; what was written of it before anybody is told is never told otherwise. */
export function endVectors(state: AggregatorState): AggregatorCommand[] {
  const { round } = state;
  const { members, degree } = rosterOf(state);
  const alive = [...state.folded].sort((a, b) => a - b);
  const near = (place: number): number =>
    (state.neighbours[place] ?? []).filter((peer) => state.folded.has(peer)).length;
  const enough = [...state.dealings.keys()].every((place) => near(place) >= degree.threshold);
  if (!enough || alive.length < round.leastMembers)
    throw new FlError('too-few-survivors', 'too few vectors came for the masks to be taken off');
  if (
    unitsOf(
      round,
      alive.map((place) => members[place] as number),
    ) < round.leastUnits
  )
    throw new FlError('too-few-organisations', 'the vectors cover fewer organisations than the contract asks for');
  addHeldVectors(state);
  const dropped = [...state.dealings.keys()].filter((place) => !state.folded.has(place));
  state.sets = { alive: encodeSet(alive, members.length), dropped: encodeSet(dropped, members.length) };
  state.phase = 'consents';
  const late = dropped.flatMap((place) => exclude(state, members[place] as number, 'left-behind'));
  const frame = frameOf(state, { kind: 'survivors', ...state.sets });
  return [
    { kind: 'persist', record: recordOf(state) },
    ...late,
    ...alive.filter((place) => !state.out.has(members[place] as number)).map((place) => sendTo(state, place, frame)),
  ];
}

/** Takes a client's signature of the survivors. */
export function takeConsent(state: AggregatorState, place: number, signature: Uint8Array): AggregatorCommand[] {
  const { context, members } = rosterOf(state);
  const known = state.consents.get(place);
  if (known !== undefined) {
    if (equalBytes(known, signature)) return [];
    throw new FlError('answered-twice', 'a client signs the survivors twice');
  }
  if (state.phase !== 'consents' || state.sets === undefined || !state.folded.has(place)) return [];
  const identity = state.round.members[members[place] as number]?.identity;
  if (identity === undefined || !isConsent(context, state.sets, identity, signature))
    throw new FlError('forged-signature', 'a client did not sign the survivors that it was told');
  state.consents.set(place, Uint8Array.from(signature));
  return [];
}

/** Asks those of whose neighbours enough have signed. */
export function endConsents(state: AggregatorState): AggregatorCommand[] {
  const { degree } = rosterOf(state);
  const commands: AggregatorCommand[] = [];
  for (const place of [...state.consents.keys()].sort((a, b) => a - b)) {
    const frame = unmaskFrame(state, place);
    if (frame === undefined) continue;
    state.asked.add(place);
    commands.push(sendTo(state, place, frame));
  }
  const answering = (place: number): number =>
    (state.neighbours[place] ?? []).filter((peer) => state.asked.has(peer)).length;
  if (![...state.dealings.keys()].every((place) => answering(place) >= degree.threshold))
    throw new FlError('too-few-survivors', 'too few signed the survivors for the masks to be taken off');
  state.phase = 'answers';
  return [{ kind: 'persist', record: recordOf(state) }, ...commands];
}

/** As many of its neighbours' signatures as a client wants to see; undefined while there are fewer. */
export function unmaskFrame(state: AggregatorState, place: number): Uint8Array | undefined {
  const { threshold } = rosterOf(state).degree;
  const signatures = (state.neighbours[place] ?? []).flatMap((peer): PlacedBytes[] => {
    const bytes = state.consents.get(peer);
    return bytes === undefined ? [] : [{ place: peer, bytes }];
  });
  if (signatures.length < threshold) return undefined;
  return frameOf(state, { kind: 'unmask', signatures: signatures.slice(0, threshold) });
}

/** Takes a client's shares: one of each neighbour, each held against what its dealer committed to. */
export function takeAnswer(state: AggregatorState, place: number, shares: readonly PlacedBytes[]): AggregatorCommand[] {
  const digest = sha256(concatBytes(...shares.flatMap((share) => [bigEndian(share.place, 2), share.bytes])));
  const known = state.answered.get(place);
  if (known !== undefined) {
    if (equalBytes(known, digest)) return [];
    throw new FlError('answered-twice', 'a client answers twice and not in the same words');
  }
  if (state.phase !== 'answers' || !state.asked.has(place)) return [];
  const { threshold } = rosterOf(state).degree;
  // Of whom enough shares are there already no more are looked at.
  const wanted = shares.filter((share) => (state.gathered.get(share.place)?.count ?? 0) < threshold);
  for (const share of wanted) checkShare(state, place, share);
  if (new Set(shares.map((share) => share.place)).size !== shares.length)
    throw new FlError('both-lists', 'a client gives two shares of one neighbour');
  for (const { place: dealer, bytes } of wanted) {
    const gathered = state.gathered.get(dealer) ?? { bytes: new Uint8Array(threshold * SHARE_BYTES), count: 0 };
    state.gathered.set(dealer, gathered);
    gathered.bytes.set(bytes, SHARE_BYTES * gathered.count);
    gathered.count += 1;
    if (gathered.count === threshold) state.complete += 1;
  }
  state.answered.set(place, digest);
  return [];
}

function checkShare(state: AggregatorState, holder: number, { place: dealer, bytes }: PlacedBytes): void {
  const dealing = state.dealings.get(dealer);
  const index = (state.neighbours[dealer] ?? []).indexOf(holder) + 1;
  if (dealing === undefined || index === 0)
    throw new FlError('bad-unmask-share', 'a share of one who dealt this client none');
  const share = decodeShare(bytes);
  using _value = share.value;
  const commitment = commitmentIn(dealtTo(dealing.dealt, index), state.folded.has(dealer) ? 'self' : 'key');
  if (share.index !== index || !opensCommitment(share, commitment))
    throw new FlError('bad-unmask-share', 'a share is not the one that its dealer committed to');
}

/** Takes the masks off. */
export function endAnswers(state: AggregatorState): AggregatorCommand[] {
  const masks: SignedMask[] = [];
  // Taken in once each: a key is a neighbour of many that dropped out.
  const taken = new Map<number, KeyObject>();
  for (const dealer of state.dealings.keys()) {
    masks.push(...(state.folded.has(dealer) ? [ownMask(state, dealer)] : pairMasks(state, dealer, taken)));
    if (masks.length >= MASKS_AT_ONCE) takeOff(state, masks);
  }
  takeOff(state, masks);
  reduce(state.sum, state.round.width);
  return finish(state);
}

/** Streams that pass through the cache beside the sum. */
const MASKS_AT_ONCE = 64;

function takeOff(state: AggregatorState, masks: SignedMask[]): void {
  addMasks(state.sum, masks, state.round.width);
  for (const { seed } of masks) seed[Symbol.dispose]();
  masks.length = 0;
}

function ownMask(state: AggregatorState, dealer: number): SignedMask {
  const { context } = rosterOf(state);
  using seed = together(state, dealer);
  const commitment = state.dealings.get(dealer)?.seedCommitment ?? new Uint8Array(0);
  if (!opensSeedCommitment(seed, context, commitment)) throw badDealer(state, dealer);
  return { seed: selfMaskSeed(seed, context), sign: -1 };
}

function pairMasks(state: AggregatorState, dealer: number, taken: Map<number, KeyObject>): SignedMask[] {
  const { context, keys } = rosterOf(state);
  using seed = together(state, dealer);
  if (!equalBytes(maskPublicKeyOf(seed), keys[dealer]?.maskKey ?? new Uint8Array(0))) throw badDealer(state, dealer);
  const own = maskKeyOf(seed);
  const near = (state.neighbours[dealer] ?? []).filter((peer) => state.folded.has(peer));
  return near.map((peer): SignedMask => {
    const key = taken.get(peer) ?? x25519PublicKey(keys[peer]?.maskKey ?? new Uint8Array(0));
    taken.set(peer, key);
    using agreed = new Secret(x25519Secret(own, key));
    return { seed: pairMaskSeed(agreed, context), sign: pairSign(peer, dealer) === 1 ? -1 : 1 };
  });
}

function together(state: AggregatorState, dealer: number): Secret {
  const { threshold } = rosterOf(state).degree;
  const gathered = state.gathered.get(dealer);
  if (gathered === undefined || gathered.count < threshold)
    throw new FlError('too-few-survivors', 'too few answered for the masks to be taken off');
  const shares = Array.from({ length: threshold }, (_, at) =>
    decodeShare(gathered.bytes.subarray(at * SHARE_BYTES, (at + 1) * SHARE_BYTES)),
  );
  try {
    return combine(shares, threshold);
  } finally {
    for (const { value } of shares) value[Symbol.dispose]();
  }
}

function badDealer(state: AggregatorState, dealer: number): FlError {
  const member = rosterOf(state).members[dealer] as number;
  return blame('bad-dealer', 'a client dealt shares that are not of the seed it committed to', member);
}

function finish(state: AggregatorState): AggregatorCommand[] {
  const { round, sum, ports } = state;
  const { members } = rosterOf(state);
  const transcript = transcriptOf(state);
  const root = transcriptRoot(transcript);
  const signature = signTranscript(round, root, ports.identity);
  const alive = [...state.folded].sort((a, b) => a - b);
  const frame = frameOf(state, { kind: 'done', root, signature });
  state.phase = 'finished';
  state.lastFrame = frame;
  const outcome: AggregatorOutcome = {
    sum,
    included: alive.map((place) => members[place] as number),
    transcript,
    transcriptRoot: root,
    signature,
  };
  return [
    { kind: 'persist', record: recordOf(state) },
    ...alive.filter((place) => !state.out.has(members[place] as number)).map((place) => sendTo(state, place, frame)),
    { kind: 'finished', outcome },
  ];
}

/** What happened, by its digests and signatures (docs/protocol/secure-aggregation.md, "Transcript"). */
function transcriptOf(state: AggregatorState): Uint8Array[] {
  const { members, root } = rosterOf(state);
  const { round, sets } = state;
  const places = (each: Iterable<number>): Uint8Array => encodeSet(each, members.length);
  return [
    concatBytes(round.digest, bigEndian(state.attempt, 1)),
    concatBytes(root, encodeSet(members, round.members.length)),
    places(state.dealings.keys()),
    ...(sets === undefined ? [] : [sets.alive, sets.dropped]),
    ...[...state.consents].map(([place, signature]) => concatBytes(bigEndian(place, 2), signature)),
    places(state.answered.keys()),
    sha256(packRing(state.sum, round.width)),
  ];
}
