import type { ServerResponse } from 'node:http';
import { epochMs, type Clock } from '@ringfence/base';
import type { AttemptView, MetricLine } from '@ringfence/protocol/payload';
import type { MetricStore } from '../job-metrics/metric-store.ts';

/** Which points are wanted: those later than `since`, and of the last `last` milliseconds. */
export interface MetricWish {
  readonly since: number;
  readonly last: number;
}

/**
 * The series of one attempt, a line each, and how the attempt stands. The last so many milliseconds of an attempt that is over count
 * back from its newest point.
 */
export function metricLines(
  store: MetricStore,
  { view, wish, clock }: { view: AttemptView; wish: MetricWish; clock: Clock },
): string {
  const now = view.outcome === null ? clock.now() : epochMs(store.newest);
  const from = Math.max(wish.since, now - wish.last);
  const lines: MetricLine[] = store.series.map(({ series, points }) => ({
    kind: 'series',
    ...series,
    points: points.all().filter(({ at }) => at > from),
  }));
  const { job, attempt, phase, outcome } = view;
  lines.push({ kind: 'state', job, attempt, at: now, phase, outcome, refused: store.refused });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** Answers with {@link metricLines}. */
export function sendMetrics(response: ServerResponse, ...of: Parameters<typeof metricLines>): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.end(metricLines(...of));
}
