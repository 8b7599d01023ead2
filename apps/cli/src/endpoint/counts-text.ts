import { LATENCY_BOUNDS_MS, type EndpointCounts } from '@ringfence/protocol/payload';

/** Milliseconds, as near as the classes tell: the part lies between the two; `most` is infinite beyond the last bound. */
export interface Quantile {
  readonly least: number;
  readonly most: number;
}

/** The class of latency that holds the `part`-th (0 to 1) of all answers, the smallest first; undefined without answers. */
export function quantile(latency: readonly number[], part: number): Quantile | undefined {
  const all = latency.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  const rank = Math.max(1, Math.ceil(part * all));
  let seen = 0;
  const at = latency.findIndex((count) => (seen += count) >= rank);
  return { least: LATENCY_BOUNDS_MS[at - 1] ?? 0, most: LATENCY_BOUNDS_MS[at] ?? Number.POSITIVE_INFINITY };
}

const QUANTILES = [0.5, 0.9, 0.99] as const;
const WIDEST_BAR = 40;

/** What gateways counted of an endpoint, in lines for people. */
export function countsLines(counts: EndpointCounts, gateways: number): string[] {
  const { name, answers, inFlight, held, tokensIn, tokensOut, latency, latencyMsSum, refusals } = counts;
  const all = Object.values(answers).reduce((sum, count) => sum + count, 0);
  const since = gateways === 1 ? 'its gateway' : `its ${gateways} gateways`;
  const classes = Object.entries(answers).filter(([, count]) => count > 0);
  const own = Object.entries(refusals).filter(([, count]) => count > 0);
  return [
    `${name}: ${all} ${all === 1 ? 'answer' : 'answers'} since ${since} started, ${inFlight} under way, ${held} held`,
    `answers  ${classes.length === 0 ? 'none yet' : classes.map(([status, count]) => `${status} ${count}`).join('  ')}`,
    `errors   ${answers['4xx'] + answers['5xx']} of ${all}${own.length === 0 ? '' : `; the gateway’s own: ${own.map(([why, count]) => `${count} ${why}`).join(', ')}`}`,
    `tokens   ${tokensIn} in, ${tokensOut} out`,
    ...(all === 0
      ? []
      : [`latency  ${latencyText(latency)}, mean ${(latencyMsSum / all).toFixed(1)} ms`, ...bars(latency)]),
  ];
}

function latencyText(latency: readonly number[]): string {
  return QUANTILES.map((part) => `p${part * 100} ${quantileText(quantile(latency, part))}`).join(', ');
}

function quantileText(found: Quantile | undefined): string {
  if (found === undefined) return '-';
  return Number.isFinite(found.most) ? `≤ ${milliseconds(found.most)}` : `> ${milliseconds(found.least)}`;
}

/** A bar for each class from the first to the last that has answers. */
function bars(latency: readonly number[]): string[] {
  const first = latency.findIndex((count) => count > 0);
  const last = latency.findLastIndex((count) => count > 0);
  const most = Math.max(...latency);
  return latency.slice(first, last + 1).map((count, index) => {
    const bound = LATENCY_BOUNDS_MS[first + index];
    const title = bound === undefined ? `> ${milliseconds(LATENCY_BOUNDS_MS.at(-1) ?? 0)}` : `≤ ${milliseconds(bound)}`;
    const bar = '█'.repeat(count === 0 ? 0 : Math.max(1, Math.round((count / most) * WIDEST_BAR)));
    return `  ${title.padStart(9)}  ${String(count).padStart(String(most).length)}  ${bar}`.trimEnd();
  });
}

function milliseconds(ms: number): string {
  return ms < 1_000 ? `${ms} ms` : `${ms / 1_000} s`;
}
