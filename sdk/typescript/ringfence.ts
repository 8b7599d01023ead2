// What a job can say to Ringfence: its own metrics, in one line.
//
//   import { metric } from '/opt/ringfence/sdk/typescript/ringfence.ts';
//   metric({ loss: 0.31 }, { step: 10 });
//
// In a Ringfence job the file is at that path. Anywhere else, copy it: it needs Node alone, and outside Ringfence a call does nothing at all.
import { constants, openSync, writeSync } from 'node:fs';

/** What belongs to all values of one call. */
export interface MetricOptions {
  /** A whole number from 0, such as the training step. */
  readonly step?: number;
  /** At most four; they tell series of one name apart. */
  readonly labels?: Readonly<Record<string, string>>;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_./-]{0,63}$/;
const LABEL = /^[A-Za-z_][A-Za-z0-9_]{0,31}$/;
const LABEL_VALUE = /^[^\p{C}\p{Zl}\p{Zp}"\\]{0,64}$/u;
const MOST_LABELS = 4;
/** A pipe takes up to so many bytes as one piece (PIPE_BUF), so several processes of a job never mix their lines. */
const PIECE = 4096;
const MOST_LOST = 999_999_999;

let pipe: number | undefined;
let lost = 0;
const warned = new Set<string>();

/** Whether somebody reads the metrics: true in a Ringfence job. */
export function metricsEnabled(): boolean {
  return (process.env['RINGFENCE_METRICS'] ?? '') !== '';
}

/**
 * Reports one value of each named metric. Never throws and never waits: a wrong call warns once, and a value that finds the pipe full is dropped
 * and counted.
 */
export function metric(values: Readonly<Record<string, number>>, { step, labels = {} }: MetricOptions = {}): void {
  if (!metricsEnabled()) return;
  const wrong = problemOf(values, step, labels);
  if (wrong !== undefined) return warn(wrong);
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  const label = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  const end = step === undefined ? '\n' : ` step=${step}\n`;
  write(Object.entries(values).map(([name, value]) => `${name}${label} ${value}${end}`));
}

function problemOf(
  values: Readonly<Record<string, number>>,
  step: number | undefined,
  labels: Readonly<Record<string, string>>,
): string | undefined {
  for (const [name, value] of Object.entries(values)) {
    if (!NAME.test(name)) return `${JSON.stringify(name)} is no metric name: letters, digits and _ . / -, at most 64`;
    if (typeof value !== 'number') return `the value of ${name} is no number`;
  }
  if (step !== undefined && !(Number.isSafeInteger(step) && step >= 0)) return 'a step is a whole number from 0';
  if (Object.keys(labels).length > MOST_LABELS) return `a metric takes at most ${MOST_LABELS} labels`;
  const bad = Object.entries(labels).some(([name, value]) => !LABEL.test(name) || !LABEL_VALUE.test(value));
  return bad ? 'a label is a name of at most 32 letters and its value one line of at most 64 characters' : undefined;
}

/** Writes lines in pieces that the pipe takes whole; what it does not take is counted and told before the next that it takes. */
function write(lines: readonly string[]): void {
  if (lost > 0 && send(`!lost ${Math.min(lost, MOST_LOST)}\n`)) lost = 0;
  let piece: string[] = [];
  let size = 0;
  for (const line of [...lines, undefined]) {
    const length = line === undefined ? Number.POSITIVE_INFINITY : Buffer.byteLength(line);
    if (piece.length > 0 && size + length > PIECE) {
      if (!send(piece.join(''))) lost += piece.length;
      piece = [];
      size = 0;
    }
    if (line !== undefined) piece.push(line);
    size += length;
  }
}

function send(piece: string): boolean {
  try {
    pipe ??= openSync(
      process.env['RINGFENCE_METRICS'] ?? '',
      constants.O_WRONLY | constants.O_NONBLOCK | constants.O_APPEND,
    );
    return writeSync(pipe, piece) === Buffer.byteLength(piece);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN'))
      warn(`metrics cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function warn(what: string): void {
  if (warned.has(what) || warned.size >= 16) return;
  warned.add(what);
  process.emitWarning(`ringfence: ${what}`);
}
