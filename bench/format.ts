import { goalText, isMet, rounded, type Row } from './row.ts';

/** One JSON object on one line: {bench, name, params, value, unit, goal, peer}. */
export function jsonLine(bench: string, row: Row): string {
  const { name, params, value, unit, goal, peer } = row;
  return JSON.stringify({ bench, name, params, value: rounded(value), unit, goal: goalText(goal), peer });
}

const HEADINGS = ['name', 'value', 'unit', 'goal', '', 'peer', 'measured with'];

/** A plain text table of rows, columns as wide as their longest cell; a missed goal says so. */
export function table(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column === 1 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0);
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

function cells(row: Row): string[] {
  const { name, params, value, unit, goal, peer } = row;
  const verdict = goal === null ? '' : isMet(row) ? 'met' : 'MISSED';
  const measuredWith = Object.entries(params).map(([key, param]) => `${key}=${param}`);
  return [
    name,
    rounded(value).toLocaleString('en'),
    unit,
    goalText(goal) ?? '',
    verdict,
    peer ?? '',
    measuredWith.join(' '),
  ];
}
