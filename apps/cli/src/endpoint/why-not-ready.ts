import { formatDuration, RingfenceError } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import type { AttemptView, EndpointRow } from '@ringfence/protocol/payload';
import type { CommandContext } from '../command.ts';
import { viewAttempt, withAgent } from '../job/agent-client.ts';
import type { Session } from '../session.ts';
import { explainReplica, type NotReady } from './explain-replica.ts';

const MOST_EXPLAINED = 3;
/** The one that is under way, and the one whose end is why there is another. */
const ATTEMPTS_LOOKED_AT = 2;

/** Replicas of an endpoint that ought to take requests and do not, each with its reason; three at the most. */
export async function whyNotReady(
  context: CommandContext,
  session: Session,
  replicas: EndpointRow['replicas'],
): Promise<NotReady[]> {
  return Promise.all(toExplain(replicas).map(({ job }) => explain(context, session, job)));
}

/** Those that are wanted and not ready; of an endpoint that was given up, or whose every job failed, the first. One that rests at 0 has none. */
export function toExplain(replicas: EndpointRow['replicas']): EndpointRow['replicas'] {
  const wanted = replicas.filter(({ state }) => state === 'wanted');
  if (wanted.length > 0) return wanted.slice(0, MOST_EXPLAINED);
  return replicas.every(({ state }) => state === 'gone') ? replicas.slice(0, 1) : [];
}

/** Whether no replica of an endpoint became ready in time, or none can any more: nothing follows by itself. */
export function isGivenUp({ ready, coming, replicas }: EndpointRow): boolean {
  return !ready && coming === null && replicas.every(({ state }) => state === 'gone');
}

/** A reason in lines for people. */
export function notReadyLines({ job, what, since, next }: NotReady, now: number): string[] {
  return [`  ${job}: ${what}; so for ${formatDuration(Math.max(0, now - since))}`, `    next: ${next}`];
}

async function explain(
  context: CommandContext,
  session: Session,
  job: EndpointRow['replicas'][number]['job'],
): Promise<NotReady> {
  const view = await session.controlPlane.job(job);
  return explainReplica(view, await lastAttempts(context, session, view));
}

async function lastAttempts(context: CommandContext, session: Session, view: JobView): Promise<AttemptView[]> {
  const asked = view.attempts.slice(-ATTEMPTS_LOOKED_AT).map(async ({ agent, attempt }) => {
    try {
      return [await withAgent(context, session, agent, (link) => viewAttempt(link, view.job, attempt))];
    } catch (error) {
      // An agent that is away, or has nothing of it yet, leaves what the control plane knows.
      if (!(error instanceof RingfenceError)) throw error;
      return [];
    }
  });
  return (await Promise.all(asked)).flat();
}
