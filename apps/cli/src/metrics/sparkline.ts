import type { MetricPoint } from '@ringfence/protocol/payload';

const BLOCKS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Smallest and largest of all values behind `points`; undefined without points. */
export function rangeOf(points: readonly MetricPoint[]): { min: number; max: number } | undefined {
  if (points.length === 0) return undefined;
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const point of points) {
    min = Math.min(min, point.min ?? point.value);
    max = Math.max(max, point.max ?? point.value);
  }
  return { min, max };
}

/**
 * A line of block letters, at most `columns` of them. While there is a column for every point each has one; beyond that the columns are equal
 * pieces of time, each showing its last value, and one without points goes on with the value before it.
 */
export function sparkline(points: readonly MetricPoint[], columns: number): string {
  const values = points.length <= columns ? points.map(({ value }) => value) : overTime(points, columns);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => BLOCKS[level(value, min, max)] ?? '').join('');
}

function overTime(points: readonly MetricPoint[], columns: number): number[] {
  const [first, last] = [points[0], points.at(-1)];
  if (first === undefined || last === undefined || columns < 1) return [];
  const width = (last.at - first.at) / columns || 1;
  const values: number[] = [];
  for (const { at, value } of points) values[Math.min(columns - 1, Math.floor((at - first.at) / width))] = value;
  let before = first.value;
  return Array.from({ length: columns }, (_, column) => (before = values[column] ?? before));
}

function level(value: number, min: number, max: number): number {
  // A line that stays where it is lies on the floor; two numbers of opposite signs may be further apart than a number can say.
  const part = max === min ? 0 : (value / 2 - min / 2) / (max / 2 - min / 2);
  return Math.min(BLOCKS.length - 1, Math.floor(part * BLOCKS.length));
}
