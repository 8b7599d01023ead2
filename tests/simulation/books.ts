import type { AgentId, EpochMs, JobId, OfferId } from '@ringfence/base';
import type { RetryCounts } from '@ringfence/policy';
import type { AwayRefusal, BurstState } from '@ringfence/policy/burst';
import type { Explanation, PlacementOffer, Placement, Take } from '@ringfence/policy/placement';
import type { InQueue } from '@ringfence/policy/queue';
import type { RetryReason } from '@ringfence/protocol';
import type { Outcome } from '@ringfence/protocol/statements';
import type { JobFacts } from '../../apps/control-plane/src/jobs/job-transitions.ts';
import type { Beat } from './beat.ts';
import type { TermRow } from './placer-term.ts';
import type { Shape } from './shapes.ts';

/** Why a job waits, as it was said when it was last looked at. */
export interface WaitingWhy {
  readonly inventoryEpoch: number;
  readonly considered: number;
  readonly explanation: Explanation;
  readonly refusals: readonly AwayRefusal[];
  readonly reasons: readonly Extract<Placement['decision'], { allow: false }>['reasons'][number]['code'][];
}

/** An attempt as the control plane's rows have it. */
export interface AttemptRow {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
  readonly offer: OfferId;
  readonly take: Take;
  readonly away: boolean;
  readonly coveredUntil: EpochMs | undefined;
  live: boolean;
  /** Attempts away from home: it is known that nothing of it runs. */
  over: boolean;
  state: 'leased' | 'accepted' | 'starting' | 'running' | 'stopped' | 'refused' | 'expired';
  outcome?: Outcome | undefined;
  stopSent: boolean;
  renewals: number;
  runningAt: number | undefined;
}

/** A job as the control plane's rows have it. */
export interface JobRow {
  readonly id: JobId;
  readonly shape: Shape;
  /** It starts for the first time with so many others of its gang, or not at all. */
  readonly gang?: { readonly id: number; readonly size: number };
  readonly submittedAt: number;
  readonly workMs: number;
  facts: JobFacts;
  notBefore: number | undefined;
  retryReason: RetryReason | undefined;
  retryCounts: RetryCounts;
  inventorySeen: number;
  waiting: WaitingWhy | undefined;
  /** Since when it has been queued, and since when somebody has to look at it, in true time. */
  queuedAt: number;
  lookAt: number;
}

/** What the control plane has on disk: it outlives its process. */
export interface Books {
  readonly jobs: Map<JobId, JobRow>;
  /** By job, newest last; those of jobs that are over go when nothing of them may be alive. */
  readonly attempts: Map<JobId, AttemptRow[]>;
  readonly offers: Map<OfferId, PlacementOffer>;
  /** Cordoned by burst; locked by an officer. */
  readonly cordoned: Set<OfferId>;
  readonly locked: Set<OfferId>;
  burst: BurstState;
  inventory: number;
  epoch: number;
  /** Raised with each change of an offer or of what is held of it. */
  readonly versions: Map<OfferId, number>;
  /** Agents' newest heartbeats, and when they came by the servers' wall clock. */
  readonly beats: Map<AgentId, Beat>;
  readonly seenAt: Map<AgentId, number>;
  readonly term: TermRow;
}

/** What decides when it is a job's turn. */
export function placeInQueue({ id, shape, submittedAt }: JobRow): InQueue {
  return { job: id, priority: shape.placement.priority, submittedAt };
}

/** All attempts that hold what they reserved. */
export function liveRows({ attempts }: Books): AttemptRow[] {
  const live: AttemptRow[] = [];
  for (const rows of attempts.values()) {
    // Only a job's newest attempt can be live; the watch looks at all of them.
    const last = rows.at(-1);
    if (last?.live === true) live.push(last);
  }
  return live;
}
