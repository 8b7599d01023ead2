import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readPodTimes, TRACES, TRACE_SOURCE, type PodTimes } from './fgd/openb-trace.ts';
import type { Row } from './row.ts';
import { savedShare, type MarketJob, type SavedShare, type SpotTerms } from './spot/saved-share.ts';
import { enoughCards, SpotMarket } from './spot/spot-market.ts';

export const description =
  'what choosing spot or on-demand machines under a deadline saves against on demand alone, on a trace (simulated)';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
/** A machine takes minutes to come up; shorter jobs have nothing to gain. */
const SHORTEST_MS = HOUR_MS;
/** A third of the work as slack is little, as much again is plenty. */
const DEADLINES = [1.33, 1.5, 2];
/** The provider's cards are enough for its tenants for such a share of the time. */
const BUILT_FOR = [0.5, 0.75, 0.9];
const TERMS: Omit<SpotTerms, 'deadlineFactor'> = {
  // What AWS listed for p3.2xlarge in the years of the paper's traces: 0.918 of 3.06 dollars.
  priceShare: 0.3,
  changeoverMs: 180_000,
  checkpointMs: 30_000,
  lookMs: 30_000,
  priorMs: 24 * HOUR_MS,
};
const PEER = 'published: 27-84 (Wu et al., NSDI 2024, Uniform Progress, other traces and workloads)';

/**
 * The trace has no spot market, so one is made of it: pods that are not best effort are a provider's tenants, and what they leave idle of its
 * cards is spot. Best-effort pods of an hour and more are the jobs, each by itself. A deadline that is missed is an error, not a row.
 */
export async function* run(): AsyncGenerator<Row> {
  const file = join(TRACES, 'openb_pod_list_default.csv');
  if (!existsSync(file))
    throw new Error(
      `the openb trace is not beside this checkout (shared/traces/openb); it is published at ${TRACE_SOURCE}`,
    );
  const pods = readPodTimes(file);
  const end = Math.max(...pods.map(({ to }) => to)) * SECOND_MS;
  const tenants = pods.filter(({ bestEffort }) => !bestEffort).map(inMs);
  const jobs = jobsOf(pods, end);
  const since = Math.min(...jobs.map(({ at }) => at));
  const all: SavedShare[] = [];
  for (const share of BUILT_FOR) {
    const market = new SpotMarket(tenants, enoughCards(tenants, { share, from: since, to: end }));
    for (const deadlineFactor of DEADLINES) {
      const saved = savedShare(jobs, market, { ...TERMS, deadlineFactor, since });
      all.push(saved);
      yield row([saved], { built_for_percent: share * 100, deadline_factor: deadlineFactor, jobs: jobs.length });
    }
  }
  yield { ...row(all, { built_for_percent: 'all', deadline_factor: 'all', jobs: jobs.length }), goal: { atLeast: 27 } };
}

function jobsOf(pods: readonly PodTimes[], end: number): MarketJob[] {
  const latest = Math.max(...DEADLINES);
  return pods
    .filter(({ bestEffort, gpus }) => bestEffort && gpus <= 1)
    .map(({ created, from, to }) => ({ at: created * SECOND_MS, workMs: (to - from) * SECOND_MS }))
    .filter(({ at, workMs }) => workMs >= SHORTEST_MS && at + workMs * latest <= end);
}

function inMs({ gpus, from, to }: PodTimes) {
  return { gpus, from: from * SECOND_MS, to: to * SECOND_MS };
}

function row(parts: readonly SavedShare[], params: Row['params']): Row {
  const sum = (of: (part: SavedShare) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const late = sum((part) => part.late);
  if (late > 0) throw new Error(`${late} jobs missed their deadlines`);
  const value = (1 - sum(({ cost }) => cost) / sum(({ onDemandCost }) => onDemandCost)) * 100;
  return {
    name: 'saving_percent',
    params: { ...params, losses: sum(({ losses }) => losses) },
    value,
    unit: '%',
    goal: null,
    peer: PEER,
  };
}
