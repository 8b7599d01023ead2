import type { KeyObject } from 'node:crypto';
import { equalBytes } from '@ringfence/base';
import { x25519PrivateKey, x25519Secret } from '@ringfence/crypto/key-agreement';
import { sha256 } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import type { AggregatorCommand } from './aggregator-events.ts';
import { exclude, frameOf, sendTo, type AggregatorState, type DrawnRoster } from './aggregator-state.ts';
import { malformed } from './byte-reader.ts';
import { graphSeed } from './client-setup.ts';
import { isDealing, type Dealing } from './dealing.ts';
import { degreeOf } from './degree.ts';
import { DEALT_BYTES, type PlacedBytes } from './frames.ts';
import { completeGraph, ringGraph } from './graph.ts';
import { leafOf, openLog, signRoster } from './key-log.ts';
import { beaconCommitmentOf, openStatement } from './key-statement.ts';
import { encodeSet } from './member-set.ts';
import { maskContext } from './round-secrets.ts';
import { MOST_ATTEMPTS, unitsOf } from './round.ts';
import { dealtTo } from './share-letter.ts';

let probeKey: KeyObject | undefined;

/** A key that others' keys are tried with; it protects nothing. */
function probe(): KeyObject {
  probeKey ??= x25519PrivateKey(new Uint8Array(32).fill(1));
  return probeKey;
}

/** Takes a member's keys, once. */
export function takeKeys(state: AggregatorState, member: number, bytes: Uint8Array): AggregatorCommand[] {
  const known = state.statements.get(member);
  if (known !== undefined) {
    if (equalBytes(known.bytes, bytes)) return [];
    throw new FlError('answered-twice', 'a member has keys twice: a round is begun once');
  }
  if (state.phase !== 'keys') return [];
  const keys = openStatement(state.round, state.attempt, bytes);
  if (keys.member !== member) throw new FlError('sybil-roster', 'keys of another member than the link is of');
  // A point of small order would make its neighbours, who cannot agree on anything with it, leave the round.
  for (const key of [keys.maskKey, keys.shareKey]) x25519Secret(probe(), key);
  state.statements.set(member, { bytes: Uint8Array.from(bytes), keys });
  return [];
}

/** Draws the roster up, logs its keys, signs the root and tells everybody. */
export function endKeys(state: AggregatorState): AggregatorCommand[] {
  const { round } = state;
  const members = [...state.statements.keys()].filter((member) => !state.out.has(member)).sort((a, b) => a - b);
  if (members.length < round.leastMembers)
    throw new FlError('too-few-survivors', 'fewer members than the contract asks for have come to the round');
  if (unitsOf(round, members) < round.leastUnits)
    throw new FlError(
      'too-few-organisations',
      'those who have come cover fewer organisations than the contract asks for',
    );
  const roster = drawRoster(state, members);
  state.roster = roster;
  const commands = everyone(members, (place) => sendTo(state, place, roster.rosterFrame(place)));
  state.phase = 'reveals';
  return roster.degree.complete ? [...commands, ...drawGraph(state)] : commands;
}

function drawRoster(state: AggregatorState, members: readonly number[]): DrawnRoster {
  const { round, attempt, ports } = state;
  const degree = degreeOf(round, members.length);
  const given = members.map((member) => state.statements.get(member)).filter((each) => each !== undefined);
  const log = openLog(given.map(({ bytes, keys }) => leafOf(keys.member, keys.beaconCommitment, bytes)));
  const set = encodeSet(members, round.members.length);
  const signature = signRoster(round, { attempt, members: set, root: log.root }, ports.identity);
  return {
    members,
    placeOf: new Map(members.map((member, place) => [member, place])),
    keys: given.map(({ keys }) => keys),
    statements: given.map(({ bytes }) => bytes),
    root: log.root,
    context: maskContext(round, attempt, log.root),
    degree,
    rosterFrame: (place) =>
      frameOf(state, { kind: 'roster', root: log.root, signature, members: set, proof: log.prove(place) }),
  };
}

/** Takes a client's part of the beacon. */
export function takeReveal(state: AggregatorState, place: number, beacon: Uint8Array): AggregatorCommand[] {
  const committed = rosterOf(state).keys[place]?.beaconCommitment;
  if (committed === undefined || !equalBytes(beaconCommitmentOf(beacon), committed))
    throw new FlError('answered-twice', 'a part of the beacon is not the one committed to');
  if (state.phase === 'reveals') state.beacons.set(place, Uint8Array.from(beacon));
  return [];
}

/** With everybody's part the graph is drawn; who withholds one is left out and everything begins anew, so that nobody picks the graph by keeping silent. */
export function endReveals(state: AggregatorState): AggregatorCommand[] {
  const { members } = rosterOf(state);
  const silent = members.filter((_, place) => !state.beacons.has(place));
  if (silent.length === 0) return drawGraph(state);
  if (state.attempt + 1 >= MOST_ATTEMPTS)
    throw new FlError('too-many-attempts', 'time and again somebody withheld its part of the beacon');
  const commands = silent.flatMap((member) => exclude(state, member, 'left-behind'));
  const rest = members.filter((member) => !state.out.has(member));
  state.attempt += 1;
  state.phase = 'keys';
  state.awaited = new Set(rest);
  state.roster = undefined;
  state.statements.clear();
  state.beacons.clear();
  const frame = frameOf(state, { kind: 'again' });
  return [...commands, ...rest.map((member) => ({ kind: 'send', member, frame }) as const)];
}

function drawGraph(state: AggregatorState): AggregatorCommand[] {
  const roster = rosterOf(state);
  const size = roster.members.length;
  const beacons = Array.from({ length: size }, (_, place) => state.beacons.get(place) ?? new Uint8Array(0));
  const graph = roster.degree.complete
    ? completeGraph(size, roster.degree)
    : ringGraph(graphSeed(roster.context, beacons), size, roster.degree);
  state.neighbours = roster.members.map((_, place) => graph.neighboursOf(place));
  if (!roster.degree.complete)
    state.logFrame = frameOf(state, {
      kind: 'log',
      leaves: roster.statements.map((statement, place) => ({
        beacon: beacons[place] as Uint8Array,
        digest: sha256(statement),
      })),
    });
  state.phase = 'shares';
  return everyone(roster.members, (place) => graphFrames(state, place).map((frame) => sendTo(state, place, frame)));
}

/** What a client needs to deal shares: the log, where a graph was drawn, and its neighbours' keys. */
export function graphFrames(state: AggregatorState, place: number): Uint8Array[] {
  const { statements } = rosterOf(state);
  const near = (state.neighbours[place] ?? []).map((peer) => statements[peer] as Uint8Array);
  const peers = frameOf(state, { kind: 'peers', statements: near });
  return state.logFrame === undefined ? [peers] : [state.logFrame, peers];
}

/** Takes what a client dealt, once. */
export function takeShares(
  state: AggregatorState,
  place: number,
  body: Dealing & { readonly signature: Uint8Array },
): AggregatorCommand[] {
  const roster = rosterOf(state);
  const known = state.dealings.get(place);
  if (known !== undefined) {
    if (equalBytes(known.signature, body.signature)) return [];
    throw new FlError('answered-twice', 'a client deals shares twice');
  }
  if (state.phase !== 'shares') return [];
  if (body.dealt.length !== DEALT_BYTES * roster.degree.neighbours) throw malformed();
  const identity = state.round.members[roster.members[place] as number]?.identity;
  if (identity === undefined || !isDealing(roster.context, body, identity, body.signature))
    throw new FlError('forged-signature', 'what was dealt is not signed by the client it is said to be of');
  const { seedCommitment, dealt, signature } = body;
  state.dealings.set(place, {
    seedCommitment: Uint8Array.from(seedCommitment),
    dealt: Uint8Array.from(dealt),
    signature: Uint8Array.from(signature),
  });
  return [];
}

/** Hands the letters round: from here on who dealt is in, and everybody is told the same of it. */
export function endShares(state: AggregatorState): AggregatorCommand[] {
  const { round, degree, members } = withRoster(state);
  const places = [...state.dealings.keys()].sort((a, b) => a - b);
  const enough = places.every((place) => dealtAround(state, place).length >= degree.threshold);
  if (!enough || places.length < round.leastMembers)
    throw new FlError('too-few-survivors', 'fewer clients dealt shares than have to answer');
  if (
    unitsOf(
      round,
      places.map((place) => members[place] as number),
    ) < round.leastUnits
  )
    throw new FlError(
      'too-few-organisations',
      'those who are left cover fewer organisations than the contract asks for',
    );
  state.phase = 'vectors';
  const late = members.filter((_, place) => !state.dealings.has(place));
  return [
    ...late.flatMap((member) => exclude(state, member, 'left-behind')),
    ...places.map((place) => sendTo(state, place, inboxFrame(state, place))),
  ];
}

/** The letters for a client. */
export function inboxFrame(state: AggregatorState, place: number): Uint8Array {
  const letters = dealtAround(state, place).map((peer): PlacedBytes => {
    const index = (state.neighbours[peer] ?? []).indexOf(place) + 1;
    return { place: peer, bytes: dealtTo(state.dealings.get(peer)?.dealt ?? new Uint8Array(0), index) };
  });
  return frameOf(state, { kind: 'inbox', letters });
}

function dealtAround(state: AggregatorState, place: number): number[] {
  return (state.neighbours[place] ?? []).filter((peer) => state.dealings.has(peer));
}

function withRoster(state: AggregatorState) {
  return { round: state.round, ...rosterOf(state) };
}

/** The roster, which every phase after the first has. */
export function rosterOf({ roster }: AggregatorState): DrawnRoster {
  if (roster === undefined) throw new FlError('not-the-next-step', 'there is no roster yet');
  return roster;
}

function everyone(
  members: readonly number[],
  of: (place: number) => AggregatorCommand | readonly AggregatorCommand[],
): AggregatorCommand[] {
  return members.flatMap((_, place) => of(place));
}
