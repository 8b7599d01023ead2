import type { RetryReason } from '@ringfence/protocol';
import type { JobState } from '@ringfence/protocol/api';
import type { Outcome } from '@ringfence/protocol/statements';

/** What can happen to a job. */
export type JobEvent =
  | { readonly kind: 'validated' }
  | { readonly kind: 'placed' }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'starting' }
  | { readonly kind: 'running' }
  | { readonly kind: 'stopped'; readonly outcome: Outcome }
  | { readonly kind: 'lease-expired' }
  | { readonly kind: 'requeued' }
  | { readonly kind: 'committed'; readonly attempt: number }
  | { readonly kind: 'stop-requested'; readonly graceMs: number }
  | { readonly kind: 'job-expired' };

/** What the table needs to know of the job beside its state. */
export interface JobFacts {
  readonly state: JobState;
  /** Attempts that were leased so far. */
  readonly attempts: number;
  readonly maxAttempts: number;
  /** What the job's owner wants another attempt to follow. */
  readonly retryOn: readonly RetryReason[];
  /** A member asked for the end. */
  readonly stopping: boolean;
  /** The newest attempt may still run; its agent has not said `stopped`. */
  readonly attemptLives: boolean;
}

/** What a transition asks the rim to do, in the same transaction. */
export type JobCommand =
  | 'end-attempt'
  | 'send-stop'
  | 'send-stop-committed'
  | 'tell-failed'
  | 'tell-cancelled'
  | 'place';

/** A transition, or undefined when the event does not concern a job in this state (a late or repeated message). */
export interface JobStep {
  readonly state: JobState;
  readonly commands: readonly JobCommand[];
}

/** Every change of state that exists; SQL refuses all others. */
export const JOB_TRANSITIONS: Readonly<Record<JobState, readonly JobState[]>> = {
  submitted: ['queued', 'cancelled', 'failed'],
  queued: ['leased', 'cancelled', 'failed', 'succeeded'],
  leased: ['starting', 'running', 'queued', 'lost', 'failed', 'cancelled', 'succeeded'],
  starting: ['running', 'queued', 'lost', 'failed', 'cancelled', 'succeeded'],
  running: ['succeeded', 'failed', 'queued', 'lost', 'cancelled'],
  lost: ['queued', 'failed', 'cancelled', 'succeeded'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

const HELD: readonly JobState[] = ['leased', 'starting', 'running'];
/** An attempt that never ran: its machine could not take it, or went away first. */
const NEVER_RAN: readonly RetryReason[] = ['no-capacity', 'interruption'];
/** Any of which, wished for, lets another attempt follow; an end that the owner or the job's own time asked for is final. */
const RETRIED_FOR: Readonly<Record<Outcome, readonly RetryReason[]>> = {
  succeeded: [],
  stopped: [],
  'timed-out': [],
  'not-started': NEVER_RAN,
  interrupted: ['interruption'],
  'lease-lost': ['interruption'],
  failed: ['error'],
  'out-of-memory': ['error'],
  'setup-failed': ['error'],
};

/** One step of a job. A commit record wins over everything but an end that was already told. */
export function stepJob(job: JobFacts, event: JobEvent): JobStep | undefined {
  if (JOB_TRANSITIONS[job.state].length === 0) return undefined;
  const held = HELD.includes(job.state);
  switch (event.kind) {
    case 'validated':
      return job.state === 'submitted' ? { state: 'queued', commands: ['place'] } : undefined;
    case 'placed':
      return job.state === 'queued' ? { state: 'leased', commands: [] } : undefined;
    case 'accepted':
      return undefined;
    case 'starting':
      return job.state === 'leased' ? { state: 'starting', commands: [] } : undefined;
    case 'running':
      return job.state === 'leased' || job.state === 'starting' ? { state: 'running', commands: [] } : undefined;
    case 'refused':
      return held ? again(job, NEVER_RAN) : undefined;
    case 'stopped':
      return held || job.state === 'lost' ? afterStopped(job, event.outcome) : undefined;
    case 'lease-expired':
      return held ? { state: 'lost', commands: ['end-attempt'] } : undefined;
    case 'requeued':
      return job.state === 'lost' ? again(job, ['interruption']) : undefined;
    case 'committed':
      return job.state === 'submitted' ? undefined : afterCommit(job, event.attempt);
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

function afterStopped(job: JobFacts, outcome: Outcome): JobStep {
  // The agent saw its commit record; the job is over when the custodian says the same.
  if (outcome === 'succeeded') return { state: job.state, commands: ['end-attempt'] };
  return again(job, RETRIED_FOR[outcome]);
}

/** A commit record of an earlier attempt makes the one that runs now pointless. */
function afterCommit(job: JobFacts, attempt: number): JobStep {
  if (!job.attemptLives) return { state: 'succeeded', commands: [] };
  const other: JobCommand[] = attempt === job.attempts ? [] : ['send-stop-committed'];
  return { state: 'succeeded', commands: [...other, 'end-attempt'] };
}

function again(job: JobFacts, reasons: readonly RetryReason[]): JobStep {
  const wished = reasons.some((reason) => job.retryOn.includes(reason));
  if (!wished || job.stopping || job.attempts >= job.maxAttempts) return over(job);
  return { state: 'queued', commands: ['end-attempt', 'place'] };
}

function over({ stopping }: JobFacts): JobStep {
  return stopping
    ? { state: 'cancelled', commands: ['end-attempt', 'tell-cancelled'] }
    : { state: 'failed', commands: ['end-attempt', 'tell-failed'] };
}
