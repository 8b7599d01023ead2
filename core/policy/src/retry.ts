import type { JobType, RetryReason } from '@ringfence/protocol';
import type { Outcome } from '@ringfence/protocol/statements';

/** How an attempt was over: by its outcome, refused by its agent for want of room (`no-room`), or refused for another reason. */
export type AttemptEnding = Outcome | 'refused' | 'no-room';

/** What of a job decides whether its attempts are tried again. */
export interface RetryWish {
  readonly type: JobType;
  readonly retryOn?: readonly RetryReason[] | undefined;
}

/** Whether another attempt may follow, and for which cause it waits. */
export type FollowUp = { readonly allow: true; readonly cause: RetryReason } | { readonly allow: false };

/** Any of which, wished for, lets another attempt follow; the first is the cause. An end that the owner or the job's own time asked for has none. */
const CAUSES: Readonly<Record<AttemptEnding, readonly RetryReason[]>> = {
  succeeded: [],
  stopped: [],
  'timed-out': [],
  'not-started': ['interruption', 'no-capacity'],
  refused: ['interruption', 'no-capacity'],
  'no-room': ['no-capacity', 'interruption'],
  interrupted: ['interruption'],
  'lease-lost': ['interruption'],
  failed: ['error'],
  'out-of-memory': ['error'],
  'setup-failed': ['error'],
};

/**
 * The one rule of what follows an attempt that ended: of a `serve` job always another (a service that ends by itself has failed, with exit 0
 * too), of others only for a reason that their owner named. Whether a `serve` job is wanted, and how many attempts there may be, is the caller's to check.
 */
export function followUp(ending: AttemptEnding, { type, retryOn = [] }: RetryWish): FollowUp {
  const causes = CAUSES[ending];
  const [cause] = causes;
  if (type === 'serve') return { allow: true, cause: cause ?? 'error' };
  if (cause === undefined || !causes.some((reason) => retryOn.includes(reason))) return { allow: false };
  return { allow: true, cause };
}
