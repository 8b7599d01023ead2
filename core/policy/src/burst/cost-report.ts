import { costOf } from './budget-ledger.ts';

/** A run that is over; prices are millionths of one currency an hour. */
export interface FinishedRun {
  readonly startedAt: number;
  readonly endedAt: number;
  /** What it was placed for away from home; undefined for one at home. */
  readonly awayHour?: number | undefined;
  /** The best offer away from home when it was placed; undefined for one that may not leave, or for which there was none. */
  readonly marketHour?: number | undefined;
}

/** What burst cost and saved between two moments: millionths of one currency. */
export interface CostReport {
  readonly spent: number;
  /** What the same runs cost if all that may leave ran away from home. */
  readonly allMarketplace: number;
  /** What they cost if home had as many machines more as were ever used away at once. */
  readonly allPrivate: number;
  /** What they cost as they ran: home's machines and what was spent. */
  readonly hybrid: number;
  readonly savedAgainstAllMarketplace: number;
  readonly savedAgainstAllPrivate: number;
  /** Runs that could not have left; they count at home's cost everywhere. */
  readonly couldNotLeave: number;
  readonly mostAwayAtOnce: number;
}

/** Home for the report: how many machines it has, and what one costs an hour by the organisation's own figure. */
export interface HomeCost {
  readonly machines: number;
  readonly machineHour: number;
}

/** Compares what runs between `from` and `until` cost with the two extremes; docs/burst.md says what each counts. */
export function costReport(
  runs: readonly FinishedRun[],
  home: HomeCost,
  { from, until }: { readonly from: number; readonly until: number },
): CostReport {
  const lasted = (run: FinishedRun) => Math.max(0, Math.min(run.endedAt, until) - Math.max(run.startedAt, from));
  const inside = runs.filter((run) => lasted(run) > 0);
  const sum = (cost: (run: FinishedRun) => number) => inside.reduce((total, run) => total + cost(run), 0);
  const spent = sum((run) => (run.awayHour === undefined ? 0 : costOf(run.awayHour, lasted(run))));
  const mostAwayAtOnce = mostAtOnce(inside.filter(({ awayHour }) => awayHour !== undefined));
  const span = until - from;
  const ownMachines = costOf(home.machineHour, span) * home.machines;
  const hybrid = ownMachines + spent;
  const allPrivate = ownMachines + costOf(home.machineHour, span) * mostAwayAtOnce;
  const allMarketplace = sum((run) => costOf(run.awayHour ?? run.marketHour ?? home.machineHour, lasted(run)));
  return {
    spent,
    allMarketplace,
    allPrivate,
    hybrid,
    savedAgainstAllMarketplace: allMarketplace - hybrid,
    savedAgainstAllPrivate: allPrivate - hybrid,
    couldNotLeave: inside.filter(({ awayHour, marketHour }) => awayHour === undefined && marketHour === undefined)
      .length,
    mostAwayAtOnce,
  };
}

function mostAtOnce(runs: readonly FinishedRun[]): number {
  const turns = runs.flatMap(({ startedAt, endedAt }) => [
    { at: startedAt, by: 1 },
    { at: endedAt, by: -1 },
  ]);
  let now = 0;
  let most = 0;
  for (const { by } of turns.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
