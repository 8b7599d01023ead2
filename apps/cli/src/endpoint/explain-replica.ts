import type { EpochMs, JobId } from '@ringfence/base';
import type { JobView } from '@ringfence/protocol/api';
import type { AttemptView, Readiness } from '@ringfence/protocol/payload';
import { constraintFix } from '../job/constraint-fix.ts';
import { endReason } from '../job/attempt-end.ts';
import { failureText } from '../job/failure-text.ts';
import { OVER } from '../job/follow-job.ts';
import { waitingText } from '../job/which-attempt.ts';

/** Why a replica takes no requests. */
export interface NotReady {
  readonly job: JobId;
  /** What is so, without times: it changes when the reason does. */
  readonly what: string;
  /** Since when it has been so. */
  readonly since: EpochMs;
  /** How its newest attempt that ended did so, where an agent could be asked. */
  readonly failure: AttemptView['failure'];
  readonly next: string;
}

/** Explains a replica by what the control plane knows of its job, and by what agents said of its last attempts, the newest last. */
export function explainReplica(view: JobView, attempts: readonly AttemptView[]): NotReady {
  const { job, submittedAt, changedAt } = view;
  const last = view.attempts.at(-1);
  const ended = attempts.findLast(({ outcome }) => outcome !== null);
  const failure = ended?.failure ?? null;
  const logs = `ringfence logs ${job}`;
  if (last === undefined) return { job, ...unplaced(view), since: submittedAt, failure };
  const own = attempts.find(({ attempt }) => attempt === last.attempt);
  if (own !== undefined && own.outcome === null) {
    const before = ended === undefined ? '' : `; before it, ${endedText(ended)}`;
    const since = own.readiness?.since ?? own.startedAt ?? changedAt;
    return { job, what: `attempt ${own.attempt} ${underWay(own)}${before}`, since, failure, next: nextFor(own, logs) };
  }
  const over = OVER.includes(view.state);
  const refused = endReason(last, undefined, over);
  const ending = ended === undefined ? `attempt ${last.attempt} is ${last.outcome ?? last.state}` : endedText(ended);
  const how = refused?.what ?? ending;
  if (view.retry !== null)
    return { job, what: `${how}; it is tried again (${view.retry.reason})`, since: changedAt, failure, next: logs };
  const then = over ? '; it is not tried again' : '';
  const next = refused?.next ?? (over ? `mend it (${logs}) and launch the file again` : logs);
  return { job, what: `${how}${then}`, since: changedAt, failure, next };
}

function unplaced(view: JobView): Pick<NotReady, 'what' | 'next'> {
  const { state, waitingFor, job } = view;
  const [first] = waitingFor;
  if (first !== undefined) return { what: waitingText(view), next: constraintFix(first.constraint) };
  if (state === 'parked') return { what: 'it rests: nobody asked for it', next: `ringfence status ${job}` };
  return { what: `it is ${state}, no server has started it`, next: `ringfence status ${job}` };
}

function underWay({ phase, readiness }: AttemptView): string {
  if (phase !== 'running') return `is at ${phase}`;
  return readiness === undefined
    ? 'runs, and nobody knows yet whether it answers'
    : `runs, but ${readinessText(readiness)}`;
}

function readinessText({ port, path, last, status }: Readiness): string {
  const probe = path === undefined ? `port ${port}` : `GET ${path} on port ${port}`;
  switch (last) {
    case 'not-asked':
      return 'has not been asked yet';
    case 'no-connection':
      return `nothing listens on port ${port}`;
    case 'no-answer':
      return `${probe} gives no answer`;
    case 'status':
      return `${probe} answers ${status ?? 'something else'}, not 200`;
    case 'ready':
      return 'is ready; its gateways hear of it in a moment';
  }
}

function nextFor({ readiness }: AttemptView, logs: string): string {
  if (readiness?.last === 'no-connection') return `${logs}; it has to listen on service.port (${readiness.port})`;
  if (readiness?.last === 'status') return `${logs}; service.probe (${readiness.path ?? '/'}) has to answer 200`;
  return logs;
}

function endedText({ attempt, outcome, failure }: AttemptView): string {
  return `attempt ${attempt} ended as ${outcome ?? 'nothing'}${failure === null ? '' : `: ${failureText(failure)}`}`;
}
