import type { JobId } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import { streamPayload, type PayloadAgent } from '@ringfence/client/payload-link';
import { metricLine, SEALED_METRICS, type MetricLine } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import { linesOf } from '../job/lines-of.ts';
import { readSealed } from '../job/sealed-log.ts';
import { refuseUnreleased } from '../release/not-released.ts';
import type { Session } from '../session.ts';

/** One series with its points, oldest first. */
export type SeriesView = Omit<Extract<MetricLine, { kind: 'series' }>, 'kind'>;
/** How the attempt stood when it was asked. */
export type MetricState = Omit<Extract<MetricLine, { kind: 'state' }>, 'kind'>;

/** The metrics of one attempt at one moment. */
export interface MetricsView {
  readonly series: readonly SeriesView[];
  readonly state: MetricState;
}

/** Asks an agent for an attempt's metrics, later than `since` (the agent's clock) and of the last `last` milliseconds. */
export async function readMetrics(
  link: PayloadAgent,
  of: { job: JobId; attempt: number; since?: number; last?: number | undefined },
): Promise<MetricsView> {
  const bounds = `${of.since === undefined ? '' : `&since=${of.since}`}${of.last === undefined ? '' : `&last=${of.last}`}`;
  const path = `/v1/jobs/${of.job}/metrics?attempt=${of.attempt}${bounds}`;
  const answer = await streamPayload(link, { method: 'GET', path });
  if (answer.status !== 200) {
    await refuseUnreleased(answer, 'metrics');
    throw refusal(answer.status);
  }
  return viewOf(linesOf(answer.body));
}

/** The metrics of an attempt that is over as its agent sealed them to the custodian. Throws CliError `not-found`. */
export async function readSealedMetrics(
  session: Session,
  of: { job: JobId; attempt: number; last?: number | undefined },
): Promise<MetricsView> {
  const text = await readSealed(session, of, SEALED_METRICS);
  const { series, state } = await viewOf(text.split('\n').filter((line) => line !== ''));
  const from = state.at - (of.last ?? Number.MAX_SAFE_INTEGER);
  return { series: series.map((one) => ({ ...one, points: one.points.filter(({ at }) => at > from) })), state };
}

async function viewOf(lines: AsyncIterable<string> | Iterable<string>): Promise<MetricsView> {
  const series: SeriesView[] = [];
  for await (const text of lines) {
    const line = parsed(text);
    if (line.kind === 'state') {
      const { job, attempt, at, phase, outcome, refused } = line;
      return { series, state: { job, attempt, at, phase, outcome, refused } };
    }
    const { source, name, labels, unit, points } = line;
    series.push({ source, name, labels, ...(unit === undefined ? {} : { unit }), points });
  }
  throw new ClientError('link-broken', 'the link to the agent broke', { next: 'try again' });
}

function parsed(text: string): MetricLine {
  try {
    return metricLine.parse(JSON.parse(text));
  } catch (cause) {
    throw new ClientError('bad-response', 'the agent answered what is no metric', { cause, next: 'update both sides' });
  }
}

function refusal(status: number): Error {
  if (status === 503)
    return new ClientError('unreachable', 'the agent has not heard from its custodian who may read', {
      next: 'look with `ringfence doctor` whether the custodian is up, then try again',
    });
  return new CliError('not-found', 'the agent has no metrics of this attempt', { next: 'see `ringfence status`' });
}
