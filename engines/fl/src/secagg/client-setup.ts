import { concatBytes, equalBytes, utf8, type Rng } from '@ringfence/base';
import { x25519PrivateKey } from '@ringfence/crypto/key-agreement';
import { sha256 } from '@ringfence/crypto/sign';
import { FlError } from '../fl-error.ts';
import { split } from '../sharing/index.ts';
import { blame } from './blame.ts';
import { malformed } from './byte-reader.ts';
import type { ClientPorts } from './client-events.ts';
import type { ClientState, ClientStep, ExpectedNeighbour, Neighbour, TakenRoster } from './client-state.ts';
import { signDealing, type Dealing } from './dealing.ts';
import { degreeOf } from './degree.ts';
import { encodeFrame, type FrameBody } from './frames.ts';
import { completeGraph, ringGraph, type RosterGraph } from './graph.ts';
import { isLogged, isSignedRoster, leafOf, rootOf, type LogLeaf } from './key-log.ts';
import { beaconCommitmentOf, openStatement, type RoundKeys } from './key-statement.ts';
import { decodeSet } from './member-set.ts';
import { drawSecrets, maskContext, seedCommitmentOf, wipeSecrets } from './round-secrets.ts';
import { MOST_ATTEMPTS, unitsOf } from './round.ts';
import { sealLetter } from './share-letter.ts';

type Body<Kind extends FrameBody['kind']> = Extract<FrameBody, { kind: Kind }>;

const BEACON = utf8('ringfence/secagg/v1 graph\0');

/** The seed of the graph: everybody's part of the beacon, each fixed before any was known. */
export function graphSeed(context: Uint8Array, beacons: readonly Uint8Array[]): Uint8Array {
  return sha256(concatBytes(BEACON, context, ...beacons));
}

/** Checks the roster: signed, of members of the contract, large enough, with this client's own keys in its log. */
export function takeRoster(state: ClientState, body: Body<'roster'>): ClientStep {
  const { round, member, attempt } = state;
  const members = decodeSet(body.members, round.members.length);
  if (!isSignedRoster(round, { attempt, members: body.members, root: body.root }, body.signature))
    throw new FlError('forged-signature', 'the roster is not signed by the aggregator of the contract');
  const place = members.indexOf(member);
  if (place < 0) throw new FlError('not-on-roster', 'the roster leaves this member out');
  if (members.length < round.leastMembers)
    throw new FlError('too-few-survivors', 'the roster has fewer members than the contract asks for');
  if (unitsOf(round, members) < round.leastUnits)
    throw new FlError('too-few-organisations', 'the roster covers fewer organisations than the contract asks for');
  const own = { member, beaconCommitment: beaconCommitmentOf(state.secrets.beacon.expose()), digest: state.ownDigest };
  if (!isLogged(own, { place, size: members.length, root: body.root }, body.proof)) throw otherKey();
  const { complete } = degreeOf(round, members.length);
  const root = Uint8Array.from(body.root);
  const roster = { members, place, root, context: maskContext(round, attempt, root) };
  if (complete)
    return { state: { ...state, roster, expected: everybody(roster), phase: 'peers', outbox: [] }, commands: [] };
  const frame = encodeFrame({
    round: round.round,
    attempt,
    body: { kind: 'reveal', beacon: state.secrets.beacon.expose() },
  });
  return { state: { ...state, roster, phase: 'log', outbox: [frame] }, commands: [{ kind: 'send', frame }] };
}

function everybody(roster: TakenRoster): ExpectedNeighbour[] {
  return expectedOf(roster, completeGraph(roster.members.length, { neighbours: 0, threshold: 0, complete: true }));
}

function expectedOf({ place }: TakenRoster, graph: RosterGraph, leaves?: Body<'log'>['leaves']): ExpectedNeighbour[] {
  return graph.neighboursOf(place).map((peer) => {
    const digest = leaves?.[peer]?.digest;
    return {
      place: peer,
      index: graph.neighboursOf(peer).indexOf(place) + 1,
      digest: digest === undefined ? undefined : Uint8Array.from(digest),
    };
  });
}

/** Checks that everybody's part of the beacon is the one committed to in the log whose root was signed, and draws the graph. */
export function takeLog(state: ClientState, { leaves }: Body<'log'>): ClientStep {
  const roster = rosterOf(state);
  if (leaves.length !== roster.members.length) throw malformed();
  const logged: LogLeaf[] = leaves.map(({ beacon, digest }, place) => ({
    member: roster.members[place] as number,
    beaconCommitment: beaconCommitmentOf(beacon),
    digest,
  }));
  if (!equalBytes(rootOf(logged), roster.root)) throw otherKey();
  const seed = graphSeed(
    roster.context,
    leaves.map(({ beacon }) => beacon),
  );
  const graph = ringGraph(seed, leaves.length, degreeOf(state.round, leaves.length));
  const expected = expectedOf(roster, graph, leaves);
  return { state: { ...state, expected, phase: 'peers', outbox: [] }, commands: [] };
}

/** Checks the neighbours' keys and deals each its shares of the two seeds. */
export function takePeers(state: ClientState, { statements }: Body<'peers'>, ports: ClientPorts): ClientStep {
  const roster = rosterOf(state);
  if (statements.length !== state.expected.length) throw malformed();
  const opened = statements.map((statement) => openStatement(state.round, state.attempt, statement));
  const neighbours = state.expected.map((expected, at) =>
    neighbourOf(state, expected, { keys: opened[at] as RoundKeys, statement: statements[at] as Uint8Array }),
  );
  if (degreeOf(state.round, roster.members.length).complete) checkRoot(state, opened, statements);
  const dealing = deal(state, neighbours, ports.rng);
  const signature = signDealing(roster.context, dealing, ports.identity);
  const frame = encodeFrame({
    round: state.round.round,
    attempt: state.attempt,
    body: { kind: 'shares', signature, ...dealing },
  });
  return {
    state: { ...state, neighbours, expected: [], phase: 'inbox', outbox: [frame] },
    commands: [{ kind: 'send', frame }, ...(state.vector === undefined ? [{ kind: 'need-input' } as const] : [])],
  };
}

function neighbourOf(
  state: ClientState,
  { place, index, digest }: ExpectedNeighbour,
  { keys, statement }: { readonly keys: RoundKeys; readonly statement: Uint8Array },
): Neighbour {
  if (keys.member !== rosterOf(state).members[place])
    throw blame('sybil-roster', 'a member stands at the place of another', keys.member);
  if (digest !== undefined && !equalBytes(digest, sha256(statement))) throw otherKey(keys.member);
  return { place, index, maskKey: Uint8Array.from(keys.maskKey), shareKey: Uint8Array.from(keys.shareKey) };
}

/** With everybody's keys at hand the root is worked out again. */
function checkRoot(state: ClientState, opened: readonly RoundKeys[], statements: readonly Uint8Array[]): void {
  const { members, place, root } = rosterOf(state);
  const leaves = opened.map((keys, at) => leafOf(keys.member, keys.beaconCommitment, statements[at] as Uint8Array));
  const beaconCommitment = beaconCommitmentOf(state.secrets.beacon.expose());
  leaves.splice(place, 0, { member: members[place] as number, beaconCommitment, digest: state.ownDigest });
  if (!equalBytes(rootOf(leaves), root)) throw otherKey();
}

function deal(state: ClientState, neighbours: readonly Neighbour[], rng: Rng): Dealing {
  const { context, place, members } = rosterOf(state);
  const { secrets } = state;
  const plan = { threshold: degreeOf(state.round, members.length).threshold, shares: neighbours.length };
  const [self, key] = [split(secrets.selfSeed, plan, rng), split(secrets.keySeed, plan, rng)];
  const own = x25519PrivateKey(secrets.shareKey.expose());
  const dealt = neighbours.map((peer, at) => {
    const [selfShare, keyShare] = [self[at], key[at]];
    if (selfShare === undefined || keyShare === undefined) throw new RangeError('a share for each neighbour');
    const letter = sealLetter(
      { context, from: place, to: peer.place, own, peer: peer.shareKey },
      { self: selfShare, key: keyShare },
    );
    for (const share of [selfShare, keyShare]) share.value[Symbol.dispose]();
    return letter;
  });
  return { seedCommitment: seedCommitmentOf(secrets.selfSeed, context), dealt: concatBytes(...dealt) };
}

/** A new attempt, with new secrets: somebody withheld its part of the beacon. */
export function takeAgain(state: ClientState, attempt: number, rng: Rng): ClientState {
  if (state.phase !== 'roster' && state.phase !== 'log')
    throw new FlError('asked-twice', 'the graph is drawn: it is not drawn again');
  if (attempt >= MOST_ATTEMPTS)
    throw new FlError('too-many-attempts', 'each new draw of the graph is one more chance for who would choose it');
  wipeSecrets(state.secrets);
  const { roster: _roster, ...rest } = state;
  return { ...rest, attempt, secrets: drawSecrets(rng), expected: [], neighbours: [], phase: 'roster' };
}

/** The roster, which every phase after the first has. */
export function rosterOf({ roster }: ClientState): TakenRoster {
  if (roster === undefined) throw new FlError('not-the-next-step', 'there is no roster yet');
  return roster;
}

function otherKey(member?: number): FlError {
  const message = 'the key log does not hold the keys that were shown';
  return member === undefined ? new FlError('other-key', message) : blame('other-key', message, member);
}
