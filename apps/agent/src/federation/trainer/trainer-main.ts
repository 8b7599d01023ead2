// The program that trains in a sandbox where the contract names our trainer. It is bundled into generated/trainer-text.ts.
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { seededRng, systemRng } from '@ringfence/base';
import {
  accuracyOf,
  evaluate,
  holdOut,
  readTable,
  rowCount,
  trainRound,
  type Examples,
  type ModelSpec,
  type PersonColumn,
  type TableSchema,
  type TrainConfig,
  type TrainingTable,
} from '@ringfence/fl/trainer';

/** What a contract says about the data, and whose rows belong together where persons are hidden. */
interface Data extends TableSchema {
  readonly file: string;
  readonly person?: PersonColumn;
}

interface Shown {
  readonly round: number;
  readonly rounds: number;
  readonly task: 'train' | 'evaluate' | 'done';
  readonly parameters: number;
  readonly config: {
    readonly seed: number;
    /** Part of the rows that is tested on and never trained on. */
    readonly heldOut?: number;
    readonly model: ModelSpec;
    readonly data: Data;
    readonly train: TrainConfig;
    /** Whether noise hides what a round tells of rows: then nothing else may tell of it. */
    readonly noised?: boolean;
  };
}

interface Rows extends TrainingTable {
  readonly heldOut: Examples;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

const socketPath = process.env['RINGFENCE_FEDERATION'] ?? '';
const folder = process.argv[2] ?? '/data';

function ask(method: string, path: string, body?: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ socketPath, method, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) }));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function next(after: number): Promise<Shown> {
  for (;;) {
    const { status, body } = await ask('GET', `/v1/round?after=${after}`);
    if (status === 200) return JSON.parse(body.toString('utf8')) as Shown;
    if (status !== 204) throw new Error(`the agent answered with ${status}`);
  }
}

/** One round: how good the model is on these rows, then what is learned from them; or the former alone, on the rows that are held out. */
async function takePart({ round, task, config }: Shown, table: Rows): Promise<void> {
  const { units } = table;
  const examples = task === 'evaluate' ? table.heldOut : table.examples;
  const given = await ask('GET', `/v1/rounds/${round}/model`);
  // It was given up meanwhile.
  if (given.status !== 200) return;
  const weights = Float32Array.from({ length: given.body.length / 4 }, (_, at) => given.body.readFloatLE(at * 4));
  const { model: spec, train, noised = false } = config;
  // Figures over all rows have no noise: where there is any, they are not even found.
  const before = noised ? undefined : evaluate(spec, weights, examples);
  const input = { spec, weights, examples, units, config: train, rng: systemRng };
  const learned = task === 'train' ? trainRound(input) : undefined;
  const delta = learned?.delta ?? new Float32Array();
  const metrics = before && { loss: before.loss / before.examples, accuracy: accuracyOf(before) };
  const { status, body: told } = await ask('PUT', `/v1/rounds/${round}/update`, littleEndian(delta), {
    'ringfence-examples': String(rowCount(examples)),
    'ringfence-values': delta.BYTES_PER_ELEMENT === 8 ? 'float64' : 'float32',
    ...(metrics === undefined ? {} : { 'ringfence-metrics': JSON.stringify(metrics) }),
  });
  if (status !== 204 && status !== 409) throw new Error(told.toString('utf8'));
  if (metrics === undefined) return console.log(`round ${round}`);
  const what = task === 'evaluate' ? 'on rows held out, ' : '';
  console.log(
    `round ${round}: ${what}loss ${metrics.loss.toPrecision(4)}, accuracy ${metrics.accuracy.toPrecision(4)}`,
  );
}

/** Sums of clipped gradients keep all their bits, since one row moves them by no more than the clipping norm only then. */
function littleEndian(delta: Float32Array | Float64Array): Buffer {
  const size = delta.BYTES_PER_ELEMENT;
  const body = Buffer.alloc(delta.length * size);
  for (const [at, value] of delta.entries())
    if (size === 8) body.writeDoubleLE(value, at * size);
    else body.writeFloatLE(value, at * size);
  return body;
}

/** The table, and what of it is tested on: all of it where nothing is held out. The same rows in every round. */
function readRows({ seed, heldOut, data }: Shown['config']): Rows {
  const table = readTable(readFileSync(join(folder, data.file), 'utf8'), data, data.person);
  if (heldOut === undefined) return { ...table, heldOut: table.examples };
  return { units: undefined, ...holdOut(table.examples, heldOut, seededRng(`ringfence/held-out/v1 ${seed}`)) };
}

let table: Rows | undefined;
for (let after = 0; ;) {
  const shown = await next(after);
  if (shown.task === 'done') break;
  table ??= readRows(shown.config);
  await takePart(shown, table);
  after = shown.round;
}
