import { afterEvaluation, NOT_EVALUATED, numberOf } from '@ringfence/protocol/federation';
import type { RoundRow } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';

/** How the model did when it was tested, by what this organisation's agents told; and whether that ends the federation by the contract's rule. `rounds`: the newest first, as many as are known. */
export function evaluationLines({ evaluation }: Contract, rounds: readonly RoundRow[]): string[] {
  if (evaluation === undefined) return [];
  const told = new Map(
    rounds.toReversed().flatMap(({ round, report }) => {
      const isTest = report?.task === 'evaluate' && report.outcome === 'summed';
      return isTest ? [[round, report.metrics ?? {}] as const] : [];
    }),
  );
  const newest = [...told].at(-1);
  if (newest === undefined) return [`Tested   not yet: after each ${evaluation.every} sums`];
  const lines = [`Tested   ${told.size} times, newest in round ${newest[0]}: ${figures(newest[1])}`];
  const { stop } = evaluation;
  if (stop === undefined) return lines;
  const rule = { patience: stop.patience, least: numberOf(stop.minDelta) };
  const sign = stop.metric === 'loss' ? 1 : -1;
  let [state, best, isOver]: [typeof NOT_EVALUATED, number | undefined, boolean] = [NOT_EVALUATED, undefined, false];
  for (const [round, metrics] of told) {
    const next = afterEvaluation(rule, state, sign * (metrics[stop.metric] ?? Number.NaN));
    if (next.best !== state.best) best = round;
    state = next;
    isOver = next.stop;
  }
  const at =
    best === undefined ? 'none so far' : `round ${best}, ${stop.metric} ${(sign * (state.best ?? 0)).toFixed(4)}`;
  const end = isOver
    ? `ended early: ${stop.patience} evaluations were no better`
    : `${state.since} of ${stop.patience} since were no better`;
  return [...lines, `Best     ${at}; ${end}`];
}

function figures(metrics: Readonly<Record<string, number>>): string {
  const told = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return told.length === 0 ? 'no figures' : told.join(', ');
}
