import { checkpointInterval, observedMtbf, simulateJob, type SpotJob } from '@ringfence/policy/spot';
import type { SpotMarket } from './spot-market.ts';

/** A job of one card: when it comes, and how long it works on a machine that is never lost; milliseconds. */
export interface MarketJob {
  readonly at: number;
  readonly workMs: number;
}

/** What does not come from a trace. */
export interface SpotTerms {
  /** What spot costs of the price on demand. */
  readonly priceShare: number;
  readonly changeoverMs: number;
  readonly checkpointMs: number;
  readonly lookMs: number;
  /** Time between losses that is believed in before any was seen. */
  readonly priorMs: number;
  /** Deadlines are so many times the work, from its beginning. */
  readonly deadlineFactor: number;
}

/** Sums over jobs; costs in milliseconds on demand. */
export interface SavedShare {
  readonly cost: number;
  /** The same jobs on demand, each on one machine, without a checkpoint. */
  readonly onDemandCost: number;
  readonly late: number;
  readonly losses: number;
}

/** Runs each job by Uniform Progress, its checkpoints at the interval for what the market showed since `since`. */
export function savedShare(
  jobs: readonly MarketJob[],
  market: SpotMarket,
  terms: SpotTerms & { readonly since: number },
): SavedShare {
  let [cost, onDemandCost, late, losses] = [0, 0, 0, 0];
  for (const { at, workMs } of jobs) {
    const job = spotJob(workMs, observedMtbf(market.seen(terms.since, at, terms.priorMs)), terms);
    const run = simulateJob(job, market.from(at));
    cost += run.onDemandMs + run.spotMs * terms.priceShare;
    onDemandCost += workMs + terms.changeoverMs;
    late += run.finishedAt > job.deadlineMs ? 1 : 0;
    losses += run.losses;
  }
  return { cost, onDemandCost, late, losses };
}

function spotJob(workMs: number, mtbfMs: number, terms: SpotTerms): SpotJob {
  const { checkpointMs: costMs, changeoverMs, lookMs, deadlineFactor } = terms;
  const everyMs = checkpointInterval({ costMs, mtbfMs });
  return {
    workMs: workMs + Math.floor(workMs / everyMs) * costMs,
    deadlineMs: workMs * deadlineFactor,
    changeoverMs,
    atRiskMs: everyMs + costMs,
    lookMs,
  };
}
