import type { JobId } from '@ringfence/base';
import type { Refusal } from '@ringfence/protocol/messages';
import type { Outcome } from '@ringfence/protocol/statements';

/** One run of one job, by its fencing token. */
export interface AttemptId {
  readonly job: JobId;
  readonly attempt: number;
}

/** Where an attempt is. `waiting`: an earlier attempt of its job is not over; `ready`: prepared, but its lease gives no time. */
export type Phase =
  | 'waiting'
  | 'admitting'
  | 'granting'
  | 'preparing'
  | 'ready'
  | 'starting'
  | 'running'
  | 'collecting'
  | 'committing'
  | 'ending'
  | 'ended';

/** One attempt. */
export interface AttemptState extends AttemptId {
  readonly phase: Phase;
  /** A partition does not end it. */
  readonly keep: boolean;
  /** Monotonic milliseconds until which the lease runs. */
  readonly deadline: number;
  /** Why it is being ended before its own end. */
  readonly ending: Extract<Outcome, 'stopped' | 'lease-lost' | 'interrupted'> | null;
}

/** All attempts of one link. */
export interface MachineState {
  /** The highest attempt of each job that was ever leased here, or that this agent was asked to delete; it only grows (invariant 5). */
  readonly highest: ReadonlyMap<JobId, number>;
  /** Attempts that are not over. */
  readonly live: readonly AttemptState[];
}

/**
 * What happens to attempts. All but the first four are reports of effects. A lease without a deadline echoes nothing that was sent here.
 */
export type MachineEvent =
  | ({ readonly type: 'leased'; readonly keep: boolean; readonly deadline: number | null } & AttemptId)
  | ({ readonly type: 'renewed'; readonly deadline: number } & AttemptId)
  | ({ readonly type: 'stop'; readonly graceMs: number; readonly why: 'stopped' | 'interrupted' } & AttemptId)
  | { readonly type: 'time' }
  | ({ readonly type: 'admitted' | 'granted' | 'prepared' | 'started' | 'collected' } & AttemptId)
  | ({ readonly type: 'refused'; readonly refusal: Refusal } & AttemptId)
  | ({ readonly type: 'failed'; readonly outcome: Outcome } & AttemptId)
  | ({ readonly type: 'exited'; readonly outcome: Outcome } & AttemptId)
  | ({ readonly type: 'committed' } & AttemptId)
  | ({ readonly type: 'ended' } & AttemptId);

/** What the rim has to do. Each of `admit` … `end` answers with an event; `cancel` ends an effect that is under way. */
export type MachineCommand =
  | ({ readonly type: 'admit' | 'grant' | 'prepare' | 'start' | 'collect' | 'commit' | 'cancel' } & AttemptId)
  | ({ readonly type: 'kill'; readonly graceMs: number } & AttemptId)
  | ({ readonly type: 'end'; readonly outcome: Outcome; readonly refusal?: Refusal } & AttemptId)
  | ({ readonly type: 'refuse'; readonly refusal: Refusal } & AttemptId)
  | { readonly type: 'wake'; readonly at: number };

/** The next state and what to do. */
export interface MachineStep {
  readonly state: MachineState;
  readonly commands: readonly MachineCommand[];
}

/** SIGTERM comes this long before the lease ends, so that the whole tree is gone when it does. */
export const STOP_BEFORE_MS = 5_000;

/** SIGKILL comes this long before the lease ends: the kernel and a busy machine need time too. */
export const KILL_BEFORE_MS = 1_000;

/** An agent that has never been leased anything. */
export const EMPTY_MACHINE: MachineState = { highest: new Map(), live: [] };

/** One step at `now` (monotonic milliseconds). Events of attempts that are over change nothing. */
export function stepMachine(state: MachineState, event: MachineEvent, now: number): MachineStep {
  if (event.type === 'leased') return takeLease(state, event);
  if (event.type === 'time') return expire(state, now);
  if (event.type === 'ended') return release(state, event);
  const attempt = find(state, event);
  if (attempt === undefined) return { state, commands: [] };
  const { next, commands } = stepAttempt(attempt, event, now);
  return { state: replace(state, next), commands };
}

/**
 * An attempt whose results an earlier process began to upload goes on with that. It runs no more, so its lease does not matter: whether the
 * results count is the custodian's word.
 */
export function resumeUpload(state: MachineState, { job, attempt }: AttemptId): MachineStep {
  const resumed: AttemptState = { job, attempt, keep: false, deadline: 0, ending: null, phase: 'collecting' };
  return { state: { ...state, live: [...state.live, resumed] }, commands: [{ type: 'collect', job, attempt }] };
}

/** Attempts that this agent signs as gone are not leased to it afterwards; those that live here go on. */
export function forgo(state: MachineState, attempts: readonly AttemptId[]): MachineState {
  const highest = new Map(state.highest);
  for (const { job, attempt } of attempts) highest.set(job, Math.max(attempt, highest.get(job) ?? 0));
  return { ...state, highest };
}

/** Whether a lease gives time at `now`. */
function holdsLease({ keep, deadline }: AttemptState, now: number): boolean {
  return keep || now < deadline - STOP_BEFORE_MS;
}

function takeLease(state: MachineState, event: Extract<MachineEvent, { type: 'leased' }>): MachineStep {
  const { job, attempt, keep, deadline } = event;
  const id = { job, attempt };
  // The same message again: a word about it would overtake what the attempt itself reports.
  if (find(state, event) !== undefined) return { state, commands: [] };
  if (attempt <= (state.highest.get(job) ?? 0))
    return { state, commands: [{ type: 'refuse', ...id, refusal: 'attempt-not-new' }] };
  const commands: MachineCommand[] = [];
  let next: MachineState = { ...state, highest: new Map(state.highest).set(job, attempt) };
  // A higher number says that the control plane has given up the ones before it. Nobody asked for their end: as `stopped` they would be
  // the last of their job.
  const before = state.live.filter((other) => other.job === job);
  for (const old of before) {
    const ended = stop(old, 'interrupted', 0);
    next = replace(next, ended.next);
    commands.push(...ended.commands);
  }
  // An echo of nothing that we sent gives no time.
  if (deadline === null)
    return { state: next, commands: [...commands, { type: 'refuse', ...id, refusal: 'bad-lease' }] };
  const phase = before.length === 0 ? 'admitting' : 'waiting';
  const taken: AttemptState = { ...id, keep, deadline, ending: null, phase };
  if (before.length === 0) commands.push({ type: 'admit', ...id });
  return { state: { ...next, live: [...next.live, taken] }, commands: [...commands, ...wakeFor(taken)] };
}

interface AttemptStep {
  readonly next: AttemptState;
  readonly commands: readonly MachineCommand[];
}

type AttemptEvent = Exclude<MachineEvent, { type: 'leased' | 'time' | 'ended' }>;

function stepAttempt(attempt: AttemptState, event: AttemptEvent, now: number): AttemptStep {
  switch (event.type) {
    case 'renewed':
      return renew(attempt, event.deadline, now);
    case 'stop':
      return stop(attempt, event.why, event.graceMs);
    case 'admitted':
      return advance(attempt, 'admitting', 'granting', 'grant');
    case 'granted':
      return advance(attempt, 'granting', 'preparing', 'prepare');
    case 'prepared':
      return attempt.phase === 'preparing' ? startIfLeased({ ...attempt, phase: 'ready' }, now) : unchanged(attempt);
    case 'started':
      return attempt.phase === 'starting'
        ? { next: { ...attempt, phase: 'running' }, commands: [] }
        : unchanged(attempt);
    case 'exited':
      return exited(attempt, event.outcome);
    case 'collected':
      return advance(attempt, 'collecting', 'committing', 'commit');
    case 'committed':
      return attempt.phase === 'committing' ? end(attempt, 'succeeded') : unchanged(attempt);
    case 'refused':
      return refuse(attempt, event.refusal);
    case 'failed':
      return isOver(attempt) ? unchanged(attempt) : end(attempt, attempt.ending ?? event.outcome);
  }
}

function advance(attempt: AttemptState, from: Phase, to: Phase, type: 'grant' | 'prepare' | 'commit'): AttemptStep {
  if (attempt.phase !== from) return unchanged(attempt);
  return { next: { ...attempt, phase: to }, commands: [{ type, ...idOf(attempt) }] };
}

/** Nothing starts without a lease that gives time now. */
function startIfLeased(attempt: AttemptState, now: number): AttemptStep {
  if (attempt.phase !== 'ready' || !holdsLease(attempt, now)) return { next: attempt, commands: [] };
  return { next: { ...attempt, phase: 'starting' }, commands: [{ type: 'start', ...idOf(attempt) }] };
}

function renew(attempt: AttemptState, deadline: number, now: number): AttemptStep {
  // A delayed frame extends nothing: only a later end than the known one counts.
  if (deadline <= attempt.deadline) return unchanged(attempt);
  const longer = { ...attempt, deadline };
  const step = startIfLeased(longer, now);
  return { next: step.next, commands: [...step.commands, ...wakeFor(longer)] };
}

function stop(attempt: AttemptState, why: NonNullable<AttemptState['ending']>, graceMs: number): AttemptStep {
  if (isOver(attempt)) return unchanged(attempt);
  const ending = attempt.ending ?? why;
  const marked = { ...attempt, ending };
  const { phase } = attempt;
  // Whether its results count is the custodian's word now, and that word is awaited.
  if (phase === 'committing') return unchanged(attempt);
  if (phase === 'starting' || phase === 'running')
    return { next: marked, commands: [{ type: 'kill', ...idOf(attempt), graceMs }] };
  const ended = end(marked, ending);
  if (phase === 'waiting' || phase === 'ready') return ended;
  return { next: ended.next, commands: [{ type: 'cancel', ...idOf(attempt) }, ...ended.commands] };
}

function exited(attempt: AttemptState, outcome: Outcome): AttemptStep {
  if (attempt.phase !== 'starting' && attempt.phase !== 'running') return unchanged(attempt);
  if (attempt.ending !== null) return end(attempt, attempt.ending);
  if (outcome !== 'succeeded') return end(attempt, outcome);
  return { next: { ...attempt, phase: 'collecting' }, commands: [{ type: 'collect', ...idOf(attempt) }] };
}

function refuse(attempt: AttemptState, refusal: Refusal): AttemptStep {
  if (attempt.phase === 'admitting')
    return { next: { ...attempt, phase: 'ending' }, commands: [{ type: 'refuse', ...idOf(attempt), refusal }] };
  if (attempt.phase !== 'granting') return unchanged(attempt);
  // The custodian may have granted it: it is told that nothing will run.
  return {
    next: { ...attempt, phase: 'ending' },
    commands: [{ type: 'end', ...idOf(attempt), outcome: 'not-started', refusal }],
  };
}

function end(attempt: AttemptState, outcome: Outcome): AttemptStep {
  return { next: { ...attempt, phase: 'ending' }, commands: [{ type: 'end', ...idOf(attempt), outcome }] };
}

/** Ends what no lease covers any more. What only waits for its results to be stored goes on: the custodian decides about them. */
function expire(state: MachineState, now: number): MachineStep {
  const commands: MachineCommand[] = [];
  let next = state;
  for (const attempt of state.live) {
    const { keep, deadline, phase } = attempt;
    if (keep || now < deadline - STOP_BEFORE_MS) continue;
    if (phase === 'collecting' || phase === 'committing' || isOver(attempt)) continue;
    const step = stop(attempt, 'lease-lost', Math.max(0, deadline - KILL_BEFORE_MS - now));
    next = replace(next, step.next);
    commands.push(...step.commands);
  }
  return { state: next, commands };
}

/** An attempt is over for good: the next one of its job may go on. */
function release(state: MachineState, id: AttemptId): MachineStep {
  const live = state.live.filter((attempt) => !same(attempt, id));
  const successor = live.find(({ job }) => job === id.job);
  if (live.length === state.live.length || successor?.phase !== 'waiting')
    return { state: { ...state, live }, commands: [] };
  const admitted = replace({ ...state, live }, { ...successor, phase: 'admitting' });
  return { state: admitted, commands: [{ type: 'admit', ...idOf(successor) }] };
}

function wakeFor({ keep, deadline }: AttemptState): MachineCommand[] {
  return keep ? [] : [{ type: 'wake', at: deadline - STOP_BEFORE_MS }];
}

function isOver({ phase }: AttemptState): boolean {
  return phase === 'ending' || phase === 'ended';
}

function unchanged(attempt: AttemptState): AttemptStep {
  return { next: attempt, commands: [] };
}

function idOf({ job, attempt }: AttemptId): AttemptId {
  return { job, attempt };
}

function same(a: AttemptId, b: AttemptId): boolean {
  return a.job === b.job && a.attempt === b.attempt;
}

function find(state: MachineState, id: AttemptId): AttemptState | undefined {
  return state.live.find((attempt) => same(attempt, id));
}

function replace(state: MachineState, next: AttemptState): MachineState {
  return { ...state, live: state.live.map((attempt) => (same(attempt, next) ? next : attempt)) };
}
