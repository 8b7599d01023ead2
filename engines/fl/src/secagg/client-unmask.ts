import type { SigningKey } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import { encodeShare } from '../sharing/index.ts';
import { rosterOf } from './client-setup.ts';
import { wipeClient, type ClientState, type ClientStep } from './client-state.ts';
import { degreeOf } from './degree.ts';
import { encodeFrame, type FrameBody, type PlacedBytes } from './frames.ts';
import { decodeSet } from './member-set.ts';
import { unitsOf } from './round.ts';
import { isConsent, signConsent } from './survivors.ts';
import { isTranscript } from './transcript.ts';

type Body<Kind extends FrameBody['kind']> = Extract<FrameBody, { kind: Kind }>;

/** Checks who is said to be in the sum against what this client saw itself, and signs it: once in a round. */
export function takeSurvivors(state: ClientState, body: Body<'survivors'>, identity: SigningKey): ClientStep {
  const { round, attempt } = state;
  const roster = rosterOf(state);
  const size = roster.members.length;
  const alive = new Set(decodeSet(body.alive, size));
  const dropped = new Set(decodeSet(body.dropped, size));
  if (alive.intersection(dropped).size > 0)
    throw new FlError('both-lists', 'both seeds of one client are asked for, which would open its vector');
  checkView(state, alive, dropped);
  const near = state.live.filter(({ place }) => alive.has(place)).length;
  if (near < degreeOf(round, size).threshold || alive.size < round.leastMembers)
    throw new FlError('too-few-survivors', 'fewer are in the sum than have to answer');
  if (unitsOf(round, membersOf(roster.members, alive)) < round.leastUnits)
    throw new FlError('too-few-organisations', 'the sum covers fewer organisations than the contract asks for');
  const survivors = { alive: Uint8Array.from(body.alive), dropped: Uint8Array.from(body.dropped) };
  const signature = signConsent(roster.context, survivors, identity);
  const frame = encodeFrame({ round: round.round, attempt, body: { kind: 'consent', signature } });
  const { masked: _masked, ...rest } = state;
  return {
    state: { ...rest, survivors, phase: 'unmask', outbox: [frame] },
    commands: [{ kind: 'send', frame }],
  };
}

/** Who dealt shares to this client is on one of the lists, who did not is on none, and it is itself in the sum. */
function checkView(state: ClientState, alive: ReadonlySet<number>, dropped: ReadonlySet<number>): void {
  const { place } = rosterOf(state);
  const named = (peer: number): boolean => alive.has(peer) || dropped.has(peer);
  const dealt = new Set(state.live.map((peer) => peer.place));
  const honest =
    alive.has(place) &&
    state.maskedDigest !== undefined &&
    [...dealt].every(named) &&
    state.silent.every((peer) => !named(peer));
  if (!honest) throw new FlError('split-view', 'the survivors are not those that this client was shown before');
}

/** Answers with one share of each neighbour, once enough of them have signed the same survivors. */
export function takeUnmask(state: ClientState, { signatures }: Body<'unmask'>): ClientStep {
  const { round, attempt, survivors } = state;
  const roster = rosterOf(state);
  if (survivors === undefined) throw new FlError('not-the-next-step', 'no survivors were named');
  const alive = new Set(decodeSet(survivors.alive, roster.members.length));
  checkSignatures(state, alive, signatures);
  const shares: PlacedBytes[] = [];
  for (const { place, held } of state.live) {
    if (held === undefined) continue;
    shares.push({ place, bytes: encodeShare(alive.has(place) ? held.self : held.key) });
    // One of the two leaves; the other is destroyed with it.
    for (const share of [held.self, held.key]) share.value[Symbol.dispose]();
  }
  const frame = encodeFrame({ round: round.round, attempt, body: { kind: 'answer', shares } });
  return { state: { ...state, live: [], phase: 'done', outbox: [frame] }, commands: [{ kind: 'send', frame }] };
}

function checkSignatures(state: ClientState, alive: ReadonlySet<number>, signatures: readonly PlacedBytes[]): void {
  const { round, survivors } = state;
  const { context, members } = rosterOf(state);
  if (survivors === undefined) return;
  const near = new Set(state.live.map(({ place }) => place).filter((place) => alive.has(place)));
  for (const { place, bytes } of signatures) {
    const identity = round.members[members[place] ?? -1]?.identity;
    // Each neighbour counts once.
    if (!near.delete(place) || identity === undefined || !isConsent(context, survivors, identity, bytes))
      throw new FlError('forged-signature', 'a signature of the survivors is not that of a neighbour in the sum');
  }
  if (signatures.length < degreeOf(round, members.length).threshold)
    throw new FlError('too-few-signatures', 'too few neighbours have signed the same survivors');
}

/** The aggregator's word on the outcome; the round is over and its secrets are destroyed. */
export function takeDone(state: ClientState, { root, signature }: Body<'done'>): ClientStep {
  const { round, survivors } = state;
  if (survivors === undefined || !isTranscript(round, root, signature))
    throw new FlError('forged-signature', 'the outcome is not signed by the aggregator of the contract');
  const { members } = rosterOf(state);
  const included = membersOf(members, decodeSet(survivors.alive, members.length));
  // Enough others may have answered first: the shares are still here then.
  wipeClient(state);
  const outcome = { included, transcriptRoot: Uint8Array.from(root), signature: Uint8Array.from(signature) };
  return { state: { ...state, phase: 'finished', live: [], outbox: [] }, commands: [{ kind: 'finished', outcome }] };
}

function membersOf(members: readonly number[], places: Iterable<number>): number[] {
  return [...places].map((place) => members[place] as number);
}
