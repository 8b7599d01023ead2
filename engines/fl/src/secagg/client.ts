import { equalBytes, type Secret } from '@ringfence/base';
import { rawPublicKey, x25519PrivateKey } from '@ringfence/crypto/key-agreement';
import { CryptoError, sha256 } from '@ringfence/crypto/sign';
import { FlError, type FlErrorCode } from '../fl-error.ts';
import { decodeClient, encodeClient } from './client-journal.ts';
import type { ClientCommand, ClientEvent, ClientPorts } from './client-events.ts';
import { takeAgain, takeLog, takePeers, takeRoster } from './client-setup.ts';
import { isOver, sequenceOf, wipeClient, type ClientState, type ClientStep } from './client-state.ts';
import { takeDone, takeSurvivors, takeUnmask } from './client-unmask.ts';
import { takeInbox, takeUpload, takeVector } from './client-vector.ts';
import { decodeFrame, encodeFrame, type FrameBody } from './frames.ts';
import { beaconCommitmentOf, signStatement } from './key-statement.ts';
import { blamed } from './blame.ts';
import { SECAGG_REFUSALS } from './refusal-code.ts';
import { drawSecrets, maskPublicKeyOf } from './round-secrets.ts';
import type { Round } from './round.ts';

/** Whose round it is and how far this member's rounds of the contract have come. */
export interface ClientStart {
  readonly round: Round;
  readonly member: number;
  /** The highest `sequence` that a `persist` of this contract had stored, −1 for none. */
  readonly sequence: number;
}

/**
 * Begins a round: draws its secrets, stores them and sends the signed keys. Throws FlError `replayed-round` for a round that this member began before or that lies
 * behind one: what it drew then is burned; `not-on-roster` when the identity is not this member's.
 */
export function startClient({ round, member, sequence }: ClientStart, ports: ClientPorts): ClientStep {
  if (sequenceOf(round.round, 0) <= sequence)
    throw new FlError('replayed-round', 'this round was begun before; a round is taken part in once');
  if (round.members[member]?.identity !== ports.identity.publicKey)
    throw new FlError('not-on-roster', 'this key is not that of the member that the contract names');
  const blank = {
    round,
    member,
    expected: [],
    neighbours: [],
    live: [],
    silent: [],
    ownDigest: new Uint8Array(32),
    seen: [],
    outbox: [],
  };
  return beginAttempt({ ...blank, attempt: 0, step: -1, phase: 'roster', secrets: drawSecrets(ports.rng) }, ports);
}

/**
 * Goes on with a stored round after a restart, and sends the last answer again. Throws FlError `stale-state` for a state older than the newest stored: it may not know
 * what was answered since, so the round is over for this client and the state is to be destroyed; `inconsistent-model` where the round is another.
 */
export function resumeClient({ round, member, sequence }: ClientStart, saved: Secret): ClientStep {
  const state = decodeClient(round, saved);
  if (sequenceOf(round.round, state.step) < sequence) {
    wipeClient(state);
    throw new FlError('stale-state', 'this state is older than one that was stored after it: what it holds is burned');
  }
  if (state.member !== member) throw new FlError('not-on-roster', 'this state is of another member');
  return { state, commands: [...resend(state), ...(wantsInput(state) ? [{ kind: 'need-input' } as const] : [])] };
}

/** One event. The state given is used up. Never throws: what is refused ends the round with `aborted` and a code. */
export function stepClient(state: ClientState, event: ClientEvent, ports: ClientPorts): ClientStep {
  if (isOver(state)) return { state, commands: [] };
  try {
    switch (event.kind) {
      case 'frame':
        return takeFrame(state, event.frame, ports);
      case 'input':
        return stored(state, takeVector(state, event.vector));
      case 'connected':
        return { state, commands: resend(state) };
      case 'stop':
        return leave(state, 'stopped');
    }
  } catch (error) {
    if (error instanceof FlError) return leave(state, error.code, blamed(error));
    // What a peer sent can make the cryptography refuse; nothing else may.
    if (error instanceof CryptoError) return leave(state, 'malformed-frame');
    throw error;
  }
}

function takeFrame(state: ClientState, bytes: Uint8Array, ports: ClientPorts): ClientStep {
  const frame = decodeFrame(bytes);
  if (frame.round !== state.round.round) throw new FlError('replayed-round', 'a frame of another round');
  const { body } = frame;
  if (body.kind === 'abort') return leave(state, SECAGG_REFUSALS[body.code] ?? 'stopped');
  if (body.kind === 'again')
    return frame.attempt <= state.attempt
      ? { state, commands: [] }
      : beginAttempt(takeAgain(state, frame.attempt, ports.rng), ports);
  if (frame.attempt > state.attempt) throw new FlError('replayed-round', 'a frame of another attempt');
  if (frame.attempt < state.attempt) return { state, commands: [] };
  // A grant of upload says where to go on: each is acted upon.
  if (body.kind === 'upload') return takeUpload(state, body);
  const digest = sha256(bytes);
  const seen = state.seen.findIndex(({ kind }) => kind === body.kind);
  if (seen >= 0) {
    if (!equalBytes(state.seen[seen]?.digest ?? new Uint8Array(0), digest))
      throw new FlError('asked-twice', 'the aggregator asked for one thing twice and not in the same words');
    return { state, commands: seen === state.seen.length - 1 ? resend(state) : [] };
  }
  const step = takeBody(state, body, ports);
  return stored(state, { ...step, state: { ...step.state, seen: [...state.seen, { kind: body.kind, digest }] } });
}

function takeBody(state: ClientState, body: FrameBody, ports: ClientPorts): ClientStep {
  if (body.kind === 'roster' && state.phase === 'roster') return takeRoster(state, body);
  if (body.kind === 'log' && state.phase === 'log') return takeLog(state, body);
  if (body.kind === 'peers' && state.phase === 'peers') return takePeers(state, body, ports);
  if (body.kind === 'inbox' && state.phase === 'inbox') return takeInbox(state, body);
  if (body.kind === 'survivors' && state.phase === 'upload') return takeSurvivors(state, body, ports.identity);
  if (body.kind === 'unmask' && state.phase === 'unmask') return takeUnmask(state, body);
  // Enough others may have answered before this client was asked.
  if (body.kind === 'done' && (state.phase === 'done' || state.phase === 'unmask')) return takeDone(state, body);
  throw new FlError('not-the-next-step', 'a frame out of turn');
}

function beginAttempt(state: ClientState, { identity }: ClientPorts): ClientStep {
  const { round, member, attempt, secrets } = state;
  const statement = signStatement(
    round,
    {
      attempt,
      member,
      maskKey: maskPublicKeyOf(secrets.keySeed),
      shareKey: rawPublicKey(x25519PrivateKey(secrets.shareKey.expose())),
      beaconCommitment: beaconCommitmentOf(secrets.beacon.expose()),
    },
    identity,
  );
  const frame = encodeFrame({ round: round.round, attempt, body: { kind: 'keys', statement } });
  return stored(state, {
    state: { ...state, phase: 'roster', ownDigest: sha256(statement), outbox: [frame], seen: [] },
    commands: [{ kind: 'send', frame }],
  });
}

/** Stores what a step led to before any of its commands: no secret of it leaves that a restart would not know of. */
function stored(before: ClientState, { state, commands }: ClientStep): ClientStep {
  if (isOver(state)) return { state, commands };
  if (state.phase === before.phase && commands.length === 0) return { state, commands };
  const kept = { ...state, step: before.step + 1 };
  const sequence = sequenceOf(kept.round.round, kept.step);
  return { state: kept, commands: [{ kind: 'persist', state: encodeClient(kept), sequence }, ...commands] };
}

function resend({ outbox }: ClientState): ClientCommand[] {
  return outbox.map((frame) => ({ kind: 'send', frame }));
}

function wantsInput({ phase, vector, masked }: ClientState): boolean {
  return vector === undefined && masked === undefined && (phase === 'inbox' || phase === 'input' || phase === 'upload');
}

function leave(state: ClientState, code: FlErrorCode, member?: number): ClientStep {
  wipeClient(state);
  const { round, attempt } = state;
  const index = (SECAGG_REFUSALS as readonly FlErrorCode[]).indexOf(code);
  const body: FrameBody = { kind: 'quit', code: index < 0 ? SECAGG_REFUSALS.indexOf('stopped') : index };
  const { vector: _vector, masked: _masked, ...rest } = state;
  return {
    state: { ...rest, phase: 'aborted', live: [], outbox: [] },
    commands: [
      { kind: 'send', frame: encodeFrame({ round: round.round, attempt, body }) },
      { kind: 'aborted', code, ...(member === undefined ? {} : { member }) },
    ],
  };
}
