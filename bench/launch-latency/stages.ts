// Where the time of a launch goes, from the agent's log (level debug) on the same machine's clock.
import { readFileSync } from 'node:fs';
import { percentile } from '../measure.ts';
import type { OrderTimes } from './order-times.ts';

/** The stages of a launch in their order; together they are the whole. */
export const STAGES = ['to_lease', 'admit', 'grant', 'prepare', 'start', 'exec'] as const;

type Stage = (typeof STAGES)[number];
type Line = { t: string; event: string; job?: string; state?: string };

/**
 * The median of each stage in milliseconds, and of `answer` (the API call's own). `to_lease`: API call to the lease at the agent; `admit`: its
 * signatures checked and journalled; `grant`: the custodian's; `prepare`: code and data in place; `start`: sandbox built; `exec`: from there to
 * the user's first words.
 */
export function stageMedians(logFile: string, orders: readonly OrderTimes[]): Record<Stage | 'answer', number> {
  const lines = readFileSync(logFile, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Line => JSON.parse(line));
  const stages = orders.map((order) => stagesOf(lines, order));
  const median = (of: (index: number) => number): number =>
    percentile(
      orders.map((_, index) => of(index)),
      0.5,
    );
  const medians = STAGES.map((stage) => [stage, median((index) => stages[index]?.[stage] ?? Number.NaN)]);
  const answer = median((index) => (orders[index]?.answered ?? 0) - (orders[index]?.called ?? 0));
  return { ...(Object.fromEntries(medians) as Record<Stage, number>), answer };
}

function stagesOf(lines: readonly Line[], { job, called, runs }: OrderTimes): Record<Stage, number> {
  const at = (event: string, state?: string): number => {
    const found = lines.find((line) => line.job === job && line.event === event && line.state === state);
    if (found === undefined) throw new Error(`the agent's log misses ${event} ${state ?? ''} of a job`);
    return Date.parse(found.t);
  };
  const lease = at('lease');
  const admitted = at('attempt.step', 'admitted');
  const granted = at('attempt.step', 'granted');
  const prepared = at('attempt.step', 'prepared');
  const started = at('exec');
  return {
    to_lease: lease - called,
    admit: admitted - lease,
    grant: granted - admitted,
    prepare: prepared - granted,
    start: started - prepared,
    exec: runs - started,
  };
}
