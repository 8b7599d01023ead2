import { followUp, type AttemptEnding, type RetryWish } from '@ringfence/policy';
import type { RetryReason } from '@ringfence/protocol';
import type { JobState } from '@ringfence/protocol/api';
import type { Outcome } from '@ringfence/protocol/statements';

/** What can happen to a job. */
export type JobEvent =
  | { readonly kind: 'validated' }
  | { readonly kind: 'placed' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly noRoom: boolean }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped'; readonly outcome: Outcome }
  | { readonly kind: 'lease-expired' }
  | { readonly kind: 'requeued' }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'committed'; readonly attempt: number }
  | { readonly kind: 'wanted'; readonly wanted: boolean; readonly graceMs: number }
  | { readonly kind: 'stop-requested'; readonly graceMs: number }
  | { readonly kind: 'job-expired' };

/** What the table needs to know of the job beside its state. */
export interface JobFacts extends RetryWish {
  readonly state: JobState;
  /** Attempts that were leased so far. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** What the job's owner wants another attempt to follow. */
  readonly retryOn: readonly RetryReason[];
  /** A member, or for good the custodian, asked for the end. */
  readonly stopping: boolean;
  /** The custodian's newest word on a `serve` job. */
  readonly wanted: boolean;
  /** The newest attempt may still run; its agent has not said `stopped`. */
  readonly attemptLives: boolean;
  /** The newest attempt was told to stop. */
  readonly stopSent: boolean;
  /** How the last attempt ended that began before the newest one, if its agent has said so by now. */
  readonly earlierWord?: Outcome | undefined;
}

/** The facts of a job that was submitted just now. */
export function newJobFacts(of: {
  readonly type: JobFacts['type'];
  readonly maxAttempts: number;
  readonly retryOn: readonly RetryReason[] | undefined;
  readonly wanted: boolean;
}): JobFacts {
  const { type, maxAttempts, retryOn = [], wanted } = of;
  const unattempted = { attempts: 0, attemptLives: false, stopSent: false };
  return { type, state: 'submitted', maxAttempts, retryOn, wanted, stopping: false, ...unattempted };
}

/** What a transition asks the rim to do, in the same transaction. */
export type JobCommand =
  | 'end-attempt'
  | 'send-stop'
  | 'send-stop-committed'
  | 'send-stop-superseded'
  | 'note-wanted'
  | 'note-unwanted'
  | 'tell-failed'
  | 'tell-cancelled'
  | 'back-off'
  | 'place';

/** A transition, or undefined when the event does not concern a job in this state (a late or repeated message). */
export interface JobStep {
  readonly state: JobState;
  readonly commands: readonly JobCommand[];
  /** With `back-off`: what the next attempt waits for. */
  readonly cause?: RetryReason;
}

/** Every change of state that exists; SQL refuses all others. */
export const JOB_TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  submitted: ['queued', 'parked', 'cancelled', 'failed'],
  parked: ['queued', 'cancelled', 'failed', 'succeeded'],
  queued: ['leased', 'parked', 'cancelled', 'failed', 'succeeded'],
  leased: ['starting', 'running', 'queued', 'parked', 'lost', 'failed', 'cancelled', 'succeeded'],
  starting: ['running', 'queued', 'parked', 'lost', 'failed', 'cancelled', 'succeeded'],
  running: ['succeeded', 'failed', 'queued', 'parked', 'lost', 'cancelled'],
  lost: ['queued', 'parked', 'failed', 'cancelled', 'succeeded'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

const HELD: readonly JobState[] = ['leased', 'starting', 'running'];

/** One step of a job. A commit record wins over everything but an end that was already told. */
export function stepJob(job: JobFacts, event: JobEvent): JobStep | undefined {
  if (JOB_TRANSITIONS[job.state].length === 0) return undefined;
  const held = HELD.includes(job.state);
  switch (event.kind) {
    case 'validated':
      return job.state === 'submitted' ? afterValidated(job) : undefined;
    case 'placed':
      return job.state === 'queued' ? { state: 'leased', commands: [] } : undefined;
    case 'accepted':
      return undefined;
    case 'starting':
      return job.state === 'leased' ? { state: 'starting', commands: [] } : undefined;
    case 'running':
      return job.state === 'leased' || job.state === 'starting' ? { state: 'running', commands: [] } : undefined;
    case 'refused':
      return held ? afterRefused(job, event.noRoom) : undefined;
    case 'stopped':
      if (job.state === 'queued') return afterLateWord(job, event.outcome);
      return held || job.state === 'lost' ? afterStopped(job, event.outcome) : undefined;
    case 'lease-expired':
      return held ? { state: 'lost', commands: ['end-attempt'] } : undefined;
    case 'requeued':
      return job.state === 'lost' ? again(job, 'lease-lost') : undefined;
    case 'fenced':
      return held && job.attemptLives ? afterFence(job) : undefined;
    case 'committed':
      return job.state === 'submitted' ? undefined : afterCommit(job, event.attempt);
    case 'wanted':
      return job.type === 'serve' && !job.stopping ? afterWish(job, event.wanted) : undefined;
    case 'stop-requested':
      return job.attemptLives
        ? { state: job.state, commands: ['send-stop'] }
        : { state: 'cancelled', commands: ['tell-cancelled'] };
    case 'job-expired':
      return held ? undefined : { state: 'failed', commands: ['tell-failed'] };
    default:
      return event satisfies never;
  }
}

function afterValidated({ type, wanted }: JobFacts): JobStep {
  return type === 'serve' && !wanted ? { state: 'parked', commands: [] } : { state: 'queued', commands: ['place'] };
}

/** The wish is written down in any state; what runs is told to stop once, and parked when it has. */
function afterWish(job: JobFacts, wanted: boolean): JobStep {
  const note = wanted ? 'note-wanted' : 'note-unwanted';
  const { state } = job;
  if (wanted && state === 'parked')
    return job.attempts < job.maxAttempts
      ? { state: 'queued', commands: [note, 'place'] }
      : { state: 'failed', commands: ['tell-failed'] };
  if (!wanted && state === 'queued') return { state: 'parked', commands: [note] };
  const stop = !wanted && job.attemptLives && !job.stopSent;
  return { state, commands: stop ? [note, 'send-stop'] : [note] };
}

function afterStopped(job: JobFacts, outcome: Outcome): JobStep {
  // The agent saw its commit record; the job is over when the custodian says the same. A service has none.
  if (outcome === 'succeeded' && job.type !== 'serve') return { state: job.state, commands: ['end-attempt'] };
  return again(job, outcome);
}

/** Its lease was called lost, and what its agent says at last is that no other attempt is to follow: the custodian would grant none. */
function afterLateWord(job: JobFacts, outcome: Outcome): JobStep | undefined {
  return job.attempts > 0 && isLastWord(job, outcome) ? { state: 'failed', commands: ['tell-failed'] } : undefined;
}

/** Leased before the word of the attempt before it came: what that one ended as counts. */
function afterRefused(job: JobFacts, noRoom: boolean): JobStep {
  const { earlierWord } = job;
  if (earlierWord !== undefined && isLastWord(job, earlierWord)) return again(job, earlierWord);
  return again(job, noRoom ? 'no-room' : 'refused');
}

/** Of a commit the custodian tells itself; and who stopped because another attempt was to follow did not end the job. */
function isLastWord(job: JobFacts, outcome: Outcome): boolean {
  return outcome !== 'succeeded' && outcome !== 'stopped' && !followUp(outcome, job).allow;
}

function afterFence(job: JobFacts): JobStep {
  const step = again(job, 'lease-lost');
  // Told while the attempt is still the live one.
  return { ...step, commands: ['send-stop-superseded', ...step.commands] };
}

/** A commit record of an earlier attempt makes the one that runs now pointless. */
function afterCommit(job: JobFacts, attempt: number): JobStep {
  if (!job.attemptLives) return { state: 'succeeded', commands: [] };
  const other: JobCommand[] = attempt === job.attempts ? [] : ['send-stop-committed'];
  return { state: 'succeeded', commands: [...other, 'end-attempt'] };
}

function again(job: JobFacts, ending: AttemptEnding): JobStep {
  if (job.stopping) return { state: 'cancelled', commands: ['end-attempt', 'tell-cancelled'] };
  if (job.type === 'serve' && !job.wanted) return { state: 'parked', commands: ['end-attempt'] };
  const next = followUp(ending, job);
  if (!next.allow || job.attempts >= job.maxAttempts)
    return { state: 'failed', commands: ['end-attempt', 'tell-failed'] };
  // It stopped because it was told to, and is wanted again by now: nothing went wrong.
  if (ending === 'stopped' && job.stopSent) return { state: 'queued', commands: ['end-attempt', 'place'] };
  return { state: 'queued', commands: ['end-attempt', 'back-off'], cause: next.cause };
}
