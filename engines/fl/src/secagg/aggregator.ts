import { CryptoError } from '@ringfence/crypto/sign';
import { FlError, type FlErrorCode } from '../fl-error.ts';
import { packedBytes } from '../ring/index.ts';
import type { AggregatorCommand, AggregatorEvent, AggregatorPhase, AggregatorPorts } from './aggregator-events.ts';
import {
  endKeys,
  endReveals,
  endShares,
  graphFrames,
  inboxFrame,
  takeKeys,
  takeReveal,
  takeShares,
} from './aggregator-setup.ts';
import {
  abortFrame,
  exclude,
  frameOf,
  recordOf,
  sendTo,
  type AggregatorState,
  type AggregatorStep,
} from './aggregator-state.ts';
import { endAnswers, endConsents, endVectors, takeAnswer, takeConsent, unmaskFrame } from './aggregator-unmask.ts';
import { takeChunk, takeReady, uploadFrame, uploadGrants } from './aggregator-vector.ts';
import { blamed } from './blame.ts';
import { decodeFrame, type FrameBody } from './frames.ts';
import { SECAGG_REFUSALS } from './refusal-code.ts';
import type { Round } from './round.ts';
import { UploadSlots } from './upload-slots.ts';

/**
 * Opens a round: clients may send their keys. `burned` is the highest round of this contract that was ever opened, −1 for none (a restarted aggregator opens the next
 * one). Throws FlError `replayed-round`, or `not-on-roster` when the identity is not the contract's aggregator's.
 */
export function startAggregator(round: Round, burned: number, ports: AggregatorPorts): AggregatorStep {
  if (round.round <= burned) throw new FlError('replayed-round', 'this round was opened before; a round runs once');
  if (round.aggregator !== ports.identity.publicKey)
    throw new FlError('not-on-roster', 'this key is not that of the aggregator that the contract names');
  const state: AggregatorState = {
    round,
    ports,
    phase: 'keys',
    attempt: 0,
    out: new Set(),
    awaited: new Set(round.members.keys()),
    statements: new Map(),
    roster: undefined,
    beacons: new Map(),
    logFrame: undefined,
    lastFrame: undefined,
    neighbours: [],
    dealings: new Map(),
    sum: new Uint32Array(round.length),
    uploads: new UploadSlots(packedBytes(round.length, round.width)),
    folded: new Set(),
    sets: undefined,
    consents: new Map(),
    asked: new Set(),
    answered: new Map(),
    gathered: new Map(),
    complete: 0,
  };
  return {
    state,
    commands: [
      { kind: 'persist', record: recordOf(state) },
      { kind: 'arm', phase: 'keys' },
    ],
  };
}

/** One event. The state given is used up. Never throws: what one member does wrong puts that member out, what cannot go on ends the round with `aborted` and a code. */
export function stepAggregator(state: AggregatorState, event: AggregatorEvent): AggregatorStep {
  if (state.phase === 'finished' || state.phase === 'aborted')
    return { state, commands: event.kind === 'connected' ? repeatLast(state, event.member) : [] };
  try {
    return { state, commands: take(state, event) };
  } catch (error) {
    if (!(error instanceof FlError)) throw error;
    return { state, commands: abort(state, error.code, blamed(error)) };
  }
}

function take(state: AggregatorState, event: AggregatorEvent): AggregatorCommand[] {
  switch (event.kind) {
    case 'frame': {
      const commands = takeFrom(state, event.member, event.frame);
      return [...commands, ...goOn(state)];
    }
    case 'connected':
      return repeat(state, event.member);
    case 'deadline':
      return event.phase === state.phase ? endPhase(state) : [];
    case 'stalled-uploads':
      return state.phase === 'vectors' ? uploadGrants(state, state.uploads.dropStalled()) : [];
    case 'stop':
      return abort(state, 'stopped');
  }
}

/** What a member sends can put that member out, and nobody else. */
function takeFrom(state: AggregatorState, member: number, bytes: Uint8Array): AggregatorCommand[] {
  if (state.out.has(member) || state.round.members[member] === undefined) return [];
  try {
    const frame = decodeFrame(bytes);
    if (frame.round !== state.round.round) throw new FlError('replayed-round', 'a frame of another round');
    if (frame.attempt > state.attempt) throw new FlError('replayed-round', 'a frame of an attempt to come');
    // Sent before it was known that everything begins anew.
    if (frame.attempt < state.attempt && frame.body.kind !== 'quit') return [];
    return takeBody(state, member, frame.body);
  } catch (error) {
    if (error instanceof CryptoError) return putOut(state, member, 'malformed-frame');
    if (error instanceof FlError) return putOut(state, member, KNOWN.has(error.code) ? error.code : 'malformed-frame');
    throw error;
  }
}

const KNOWN: ReadonlySet<FlErrorCode> = new Set(SECAGG_REFUSALS);

function takeBody(state: AggregatorState, member: number, body: FrameBody): AggregatorCommand[] {
  if (body.kind === 'keys') return takeKeys(state, member, body.statement);
  if (body.kind === 'quit') return putOut(state, member, SECAGG_REFUSALS[body.code] ?? 'stopped');
  const place = state.roster?.placeOf.get(member);
  // Who is not on the roster has come too late for it.
  if (place === undefined) return [];
  if (body.kind === 'reveal') return takeReveal(state, place, body.beacon);
  if (body.kind === 'shares') return takeShares(state, place, body);
  if (body.kind === 'ready') return takeReady(state, place);
  if (body.kind === 'chunk') return takeChunk(state, place, body);
  if (body.kind === 'consent') return takeConsent(state, place, body.signature);
  if (body.kind === 'answer') return takeAnswer(state, place, body.shares);
  throw new FlError('not-the-next-step', 'a client sends what only the aggregator sends');
}

function putOut(state: AggregatorState, member: number, code: FlErrorCode): AggregatorCommand[] {
  const place = state.roster?.placeOf.get(member);
  const grants = place === undefined ? [] : state.uploads.drop(place);
  return [...exclude(state, member, code), ...uploadGrants(state, grants)];
}

/** Ends phases that wait for nobody any more. */
function goOn(state: AggregatorState): AggregatorCommand[] {
  return isWaiting(state) ? [] : endPhase(state);
}

function isWaiting(state: AggregatorState): boolean {
  const places = state.roster?.members.keys() ?? [];
  const size = state.roster?.members.length ?? 0;
  switch (state.phase) {
    case 'keys': {
      const { awaited, statements, out } = state;
      if (statements.size + out.size < awaited.size) return true;
      return [...awaited].some((member) => !statements.has(member) && !out.has(member));
    }
    case 'reveals':
      return isAnyMissing(state, { places, size }, state.beacons);
    case 'shares':
      return isAnyMissing(state, { places, size }, state.dealings);
    case 'vectors':
      return isAnyMissing(state, { places: state.dealings.keys(), size: state.dealings.size }, state.folded);
    case 'consents':
      return isAnyMissing(state, { places: state.folded, size: state.folded.size }, state.consents);
    case 'answers':
      // Every seed can be put together, whoever else might still answer.
      if (state.complete === state.dealings.size) return false;
      return isAnyMissing(state, { places: state.asked, size: state.asked.size }, state.answered);
    case 'finished':
    case 'aborted':
      return true;
  }
}

/** Whether one of these places is not done, and not out either. Frames are many: only near the end is it worth a look at each. */
function isAnyMissing(
  { roster, out }: AggregatorState,
  { places, size }: { readonly places: Iterable<number>; readonly size: number },
  done: { readonly size: number; has(place: number): boolean },
): boolean {
  if (done.size + out.size < size) return true;
  for (const place of places) if (!done.has(place) && !out.has(roster?.members[place] ?? -1)) return true;
  return false;
}

function endPhase(state: AggregatorState): AggregatorCommand[] {
  const before = state.phase;
  const commands = ENDS[before](state);
  const over = state.phase === before || state.phase === 'finished';
  return over ? commands : [...commands, { kind: 'arm', phase: state.phase }];
}

const ENDS: Readonly<Record<AggregatorPhase, (state: AggregatorState) => AggregatorCommand[]>> = {
  keys: endKeys,
  reveals: endReveals,
  shares: endShares,
  vectors: endVectors,
  consents: endConsents,
  answers: endAnswers,
  finished: () => [],
  aborted: () => [],
};

/** Sends a member what it may not have got: the newest that was sent to it. */
function repeat(state: AggregatorState, member: number): AggregatorCommand[] {
  const { roster } = state;
  const place = roster?.placeOf.get(member);
  if (state.out.has(member)) return [{ kind: 'send', member, frame: abortFrame(state, 'left-behind') }];
  if (roster === undefined || place === undefined)
    return state.attempt === 0 ? [] : [{ kind: 'send', member, frame: frameOf(state, { kind: 'again' }) }];
  return newestFrames(state, place).map((frame) => sendTo(state, place, frame));
}

function newestFrames(state: AggregatorState, place: number): Uint8Array[] {
  const { roster } = state;
  switch (state.phase) {
    case 'reveals':
      return roster === undefined ? [] : [roster.rosterFrame(place)];
    case 'shares':
      return [
        ...(roster === undefined || state.logFrame !== undefined ? [] : [roster.rosterFrame(place)]),
        ...graphFrames(state, place),
      ];
    case 'vectors':
      return state.dealings.has(place)
        ? [inboxFrame(state, place), ...state.uploads.repeat(place).map((grant) => uploadFrame(state, grant))]
        : [];
    case 'consents':
      return state.sets !== undefined && state.folded.has(place)
        ? [frameOf(state, { kind: 'survivors', ...state.sets })]
        : [];
    case 'answers': {
      const frame = state.asked.has(place) ? unmaskFrame(state, place) : undefined;
      return frame === undefined ? [] : [frame];
    }
    case 'keys':
    case 'finished':
    case 'aborted':
      return [];
  }
}

/** How the round ended, for one that was in it. */
function repeatLast({ lastFrame, roster }: AggregatorState, member: number): AggregatorCommand[] {
  return lastFrame === undefined || roster?.placeOf.has(member) !== true
    ? []
    : [{ kind: 'send', member, frame: lastFrame }];
}

function abort(state: AggregatorState, code: FlErrorCode, member?: number): AggregatorCommand[] {
  state.phase = 'aborted';
  const told = state.roster?.members ?? [...state.statements.keys()];
  const frame = abortFrame(state, code);
  state.lastFrame = frame;
  return [
    { kind: 'persist', record: recordOf(state) },
    ...told.filter((each) => !state.out.has(each)).map((each) => ({ kind: 'send', member: each, frame }) as const),
    { kind: 'aborted', code, ...(member === undefined ? {} : { member }) },
  ];
}
