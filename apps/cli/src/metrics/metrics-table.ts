import { rangeOf, sparkline } from './sparkline.ts';
import { seriesText, valueText } from './metric-text.ts';
import type { MetricsView, SeriesView } from './read-metrics.ts';
import type { Screen } from './screen.ts';

const HEAD = ['METRIC', 'LAST', 'MIN', 'MAX'] as const;
const WIDEST_NAME = 40;
const NARROWEST_GRAPH = 10;
const GAP = '  ';

/** The metrics for people: a line each with its last, smallest and largest value and how it went, as wide as the screen. */
export function metricsTable(name: string, { series, state }: MetricsView, screen: Screen): string[] {
  const shown = series.filter(({ points }) => points.length > 0).toSorted(jobFirst);
  const rows = shown.map((one) => ({ one, cells: cellsOf(one) }));
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const taken = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const graph = screen.columns - taken;
  const body =
    graph >= NARROWEST_GRAPH
      ? [
          aligned(HEAD, widths),
          ...rows.map(({ one, cells }) => aligned(cells, widths) + GAP + drawn(one, graph, screen)),
        ]
      : rows.flatMap(({ one, cells }) => stacked(one, cells, screen));
  const refused = Object.entries(state.refused).map(([why, count]) => `${count} ${why}`);
  return [
    titleOf(name, { series, state }),
    ...(rows.length === 0 ? ['no metrics yet'] : body),
    ...(refused.length === 0 ? [] : [`not taken: ${refused.join(', ')} (docs/metrics.md says why)`]),
  ];
}

function titleOf(name: string, { series, state }: MetricsView): string {
  const steps = series.flatMap(({ points }) => points.at(-1)?.step ?? []);
  const step = steps.length === 0 ? '' : `, step ${Math.max(...steps)}`;
  return `${name} attempt ${state.attempt}: ${state.outcome ?? state.phase}${step}`;
}

function cellsOf(one: SeriesView): readonly string[] {
  const { min, max } = rangeOf(one.points) ?? { min: 0, max: 0 };
  const last = one.points.at(-1)?.value ?? 0;
  return [cut(seriesText(one), WIDEST_NAME), ...[last, min, max].map((value) => valueText(value, one.unit))];
}

/** Names stand to the left, numbers to the right. */
function aligned(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
    .join(GAP);
}

/** On a narrow screen the graph has a line of its own. */
function stacked(
  one: SeriesView,
  [name = '', last = '', min = '', max = '']: readonly string[],
  screen: Screen,
): string[] {
  return [cut(`${name} ${last} (${min} to ${max})`, screen.columns), drawn(one, screen.columns, screen)];
}

function drawn({ points }: SeriesView, columns: number, { colour }: Screen): string {
  const line = sparkline(points, columns);
  return colour ? `\u001B[36m${line}\u001B[39m` : line;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}

function jobFirst(a: SeriesView, b: SeriesView): number {
  if (a.source !== b.source) return a.source === 'job' ? -1 : 1;
  return seriesText(a) < seriesText(b) ? -1 : 1;
}
