import { METRIC_LABELS, type MetricRefusal } from '@ringfence/protocol/payload';

/** One value that a job reported. */
export interface ReportedValue {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly step: number | undefined;
}

/** What one line came to. */
export type ParsedLine =
  | { readonly ok: true; readonly reported: ReportedValue }
  /** `count` values were not taken. */
  | { readonly ok: false; readonly refusal: MetricRefusal; readonly count: number };

const LINE = /^([A-Za-z_][A-Za-z0-9_./-]{0,63})(?:\{(.*)\})? (\S{1,32})(?: step=(\d{1,16}))?$/u;
const LABEL = /([A-Za-z_][A-Za-z0-9_]{0,31})="([^\p{C}\p{Zl}\p{Zp}"\\]{0,64})"(?:,(?!$)|$)/uy;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;
const NO_NUMBER = /^[+-]?(?:nan|inf|infinity)$/i;
const LOST = /^!lost (\d{1,9})$/;

/**
 * Reads one line of what the SDK writes, without its end: `NAME{LABEL="VALUE",…} NUMBER step=N`, labels and step optional, or `!lost N` for
 * values that found the pipe full. docs/metrics.md is its specification.
 */
export function parseMetricLine(line: string): ParsedLine {
  const lost = LOST.exec(line)?.[1];
  if (lost !== undefined) return { ok: false, refusal: 'lost', count: Number(lost) };
  const [, name, labelText, number = '', stepText] = LINE.exec(line) ?? [];
  const labels = readLabels(labelText);
  const step = stepText === undefined ? undefined : Number(stepText);
  if (name === undefined || labels === undefined || (step !== undefined && !Number.isSafeInteger(step)))
    return refused('malformed');
  if (NO_NUMBER.test(number)) return refused('not-finite');
  if (!NUMBER.test(number)) return refused('malformed');
  const value = Number(number);
  return Number.isFinite(value) ? { ok: true, reported: { name, labels, value, step } } : refused('not-finite');
}

function refused(refusal: MetricRefusal): ParsedLine {
  return { ok: false, refusal, count: 1 };
}

/** Labels in the order of their names, so that a series has one spelling; undefined when something is wrong with them. */
function readLabels(text: string | undefined): Record<string, string> | undefined {
  if (text === undefined) return {};
  const found: [string, string][] = [];
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? [];
    if (name === undefined || value === undefined || found.some(([known]) => known === name)) return undefined;
    found.push([name, value]);
    if (found.length > METRIC_LABELS) return undefined;
  }
  if (found.length === 0) return undefined;
  return Object.fromEntries(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
