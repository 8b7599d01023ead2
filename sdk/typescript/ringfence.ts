// What a job can say to Ringfence: its own metrics, in one line; and its part in a federation.
//
//   import { join, metric, rounds } from '/opt/ringfence/sdk/typescript/ringfence.ts';
//   metric({ loss: 0.31 }, { step: 10 });
//
//   join();
//   for await (const round of rounds()) await round.push(train(round.pull()), rows.length, { loss: 0.31 });
//
// In a Ringfence job the file is at that path. Anywhere else, copy it: it needs Node alone. Outside Ringfence reported metrics go nowhere, and join()
// says that there is no federation.
import { constants, openSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { endianness } from 'node:os';

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

/** What the agent said of a wrong call, in its words; `code` names it. */
export class FederationError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'FederationError';
    this.code = code;
  }
}

/** One round of a federation. */
export interface Round {
  readonly number: number;
  readonly rounds: number;
  readonly task: 'train' | 'evaluate';
  /** What the contract says of local training. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The model of the round, one number after the other; each call gives a copy. */
  readonly pull: () => Float32Array;
  /**
   * Hands in what was learned of `examples` rows: the new model, or with `delta` what to add to the old; for an evaluation null. Resolves with false
   * when the round was given up meanwhile. Throws FederationError.
   */
  readonly push: (
    values: ArrayLike<number> | null,
    examples: number,
    metrics?: Readonly<Record<string, number>>,
    options?: { readonly delta?: boolean },
  ) => Promise<boolean>;
}

type Shown = Pick<Round, 'rounds' | 'config'> & { readonly round: number; readonly task: Round['task'] | 'done' };

const FLOAT_BYTES = 4;

/** Whether this job trains in a federation. */
export function federated(): boolean {
  return (process.env['RINGFENCE_FEDERATION'] ?? '') !== '';
}

/** Fails where this is no job of a federation. Throws FederationError `no-federation`. */
export function join(): void {
  if (!federated())
    throw new FederationError(
      'no-federation',
      'this is no job of a federation: `ringfence federation start` orders one',
    );
}

/** Each round once there is one, until there are no more. Throws FederationError. */
export async function* rounds(): AsyncGenerator<Round, void, void> {
  for (let after = 0; ;) {
    const { status, body } = await ask('GET', `/v1/round?after=${after}`);
    if (status === 204) continue;
    if (status !== 200) throw refusal(status, body);
    const shown = JSON.parse(body.toString('utf8')) as Shown;
    if (shown.task === 'done') return;
    after = shown.round;
    const given = await ask('GET', `/v1/rounds/${after}/model`);
    // It was given up before anybody trained.
    if (given.status === 409) continue;
    if (given.status !== 200) throw refusal(given.status, given.body);
    let pushed = false;
    yield roundOf({ ...shown, task: shown.task }, littleEndian(given.body), () => (pushed = true));
    if (!pushed) warn(`round ${after}: nothing was pushed, so this organisation is not in it`);
  }
}

function roundOf(
  { round: number, rounds: all, task, config }: Shown & { readonly task: Round['task'] },
  model: Float32Array,
  onPush: () => void,
): Round {
  return {
    number,
    rounds: all,
    task,
    config,
    pull: () => model.slice(),
    async push(values, examples, metrics = {}, { delta = false } = {}) {
      if (values !== null && values.length !== model.length)
        throw new FederationError(
          'bad-size',
          `the model of the contract has ${model.length} parameters, this one ${values.length}`,
        );
      const update = Float32Array.from(values ?? [], (value, at) => (delta ? value : value - (model[at] ?? 0)));
      const { status, body } = await ask('PUT', `/v1/rounds/${number}/update`, bytesOf(update), {
        'ringfence-examples': String(examples),
        'ringfence-metrics': JSON.stringify(metrics),
      });
      if (status !== 204 && status !== 409) throw refusal(status, body);
      onPush();
      return status === 204;
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

function ask(
  method: string,
  path: string,
  body?: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const socketPath = process.env['RINGFENCE_FEDERATION'];
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function refusal(status: number, body: Buffer): FederationError {
  try {
    const { error } = JSON.parse(body.toString('utf8')) as { error: { code: string; message: string } };
    return new FederationError(error.code, error.message);
  } catch {
    return new FederationError('bad-answer', `the agent answered with ${status}`);
  }
}

function littleEndian(bytes: Uint8Array): Float32Array {
  const copy = Uint8Array.from(bytes);
  if (endianness() === 'BE') Buffer.from(copy.buffer).swap32();
  return new Float32Array(copy.buffer, 0, copy.length / FLOAT_BYTES);
}

function bytesOf(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return endianness() === 'BE' ? bytes.swap32() : bytes;
}
