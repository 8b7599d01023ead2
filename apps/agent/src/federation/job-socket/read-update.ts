import type { IncomingMessage } from 'node:http';
import { endianness } from 'node:os';

/** What a job gives back of a round. */
export interface JobUpdate {
  /** Rows that it learned from. */
  readonly examples: number;
  /** Its own figures by name, all finite. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The difference to the model, as many values as that has; empty for an evaluation. */
  readonly values: Float32Array | Float64Array;
}

/** Why an update is not taken, in words for the person who trains. */
export interface UpdateRefusal {
  readonly code: 'bad-examples' | 'bad-metrics' | 'bad-size' | 'not-finite';
  readonly message: string;
}

const MOST_EXAMPLES = 2 ** 31;
const MOST_METRICS = 16;
const METRIC_NAME = /^[A-Za-z_][A-Za-z0-9_./-]{0,63}$/;
const BYTES_PER_VALUE = 4;
/** An update is float64 where its header says so: a sum that noise is made for must not be rounded on its way. */
const BYTES_PER_DOUBLE = 8;

/** The update in the body and headers of `request`, for a model of `parameters` values (0: none expected). Throws what reading throws. */
export async function readUpdate(request: IncomingMessage, parameters: number): Promise<JobUpdate | UpdateRefusal> {
  const isDouble = request.headers['ringfence-values'] === 'float64';
  const length = parameters * (isDouble ? BYTES_PER_DOUBLE : BYTES_PER_VALUE);
  const bytes = await readExactly(request, length);
  const examples = readExamples(request.headers['ringfence-examples']);
  if (examples === undefined)
    return refusal('bad-examples', `the header ringfence-examples must be a whole number from 1 to ${MOST_EXAMPLES}`);
  const metrics = readMetrics(request.headers['ringfence-metrics']);
  if (metrics === undefined)
    return refusal(
      'bad-metrics',
      `the header ringfence-metrics must be a JSON object of at most ${MOST_METRICS} finite numbers by name`,
    );
  if (bytes === undefined)
    return refusal(
      'bad-size',
      parameters === 0
        ? 'an evaluation has no body'
        : `the body must be ${parameters} values of ${isDouble ? 'float64' : 'float32'}, ${length} bytes: one for each parameter of the model`,
    );
  const values = isDouble ? littleEndianDoubles(bytes) : littleEndianFloats(bytes);
  if (!values.every(Number.isFinite))
    return refusal('not-finite', 'the update holds NaN or infinity: lower the learning rate, or look at the data');
  return { examples, metrics, values };
}

/** Whether `read` is a refusal. */
export function isRefusal(read: JobUpdate | UpdateRefusal): read is UpdateRefusal {
  return 'code' in read;
}

/** The float32 values that `bytes` hold, least significant byte first. */
export function littleEndianFloats(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength / BYTES_PER_VALUE);
  for (let index = 0; index < values.length; index += 1) values[index] = view.getFloat32(index * BYTES_PER_VALUE, true);
  return values;
}

function littleEndianDoubles(bytes: Uint8Array): Float64Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.byteLength / BYTES_PER_DOUBLE }, (_, at) =>
    view.getFloat64(at * BYTES_PER_DOUBLE, true),
  );
}

/** `values` as float32, least significant byte first. */
export function littleEndianBytes(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.slice().buffer);
  return endianness() === 'LE' ? bytes : bytes.swap32();
}

function readExamples(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string' || !/^[1-9]\d{0,9}$/.test(header)) return undefined;
  const examples = Number(header);
  return examples <= MOST_EXAMPLES ? examples : undefined;
}

function readMetrics(header: string | string[] | undefined): Readonly<Record<string, number>> | undefined {
  if (header === undefined) return {};
  if (typeof header !== 'string' || header.length > 4_096) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(header);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  const fits = ([name, number]: readonly [string, unknown]): boolean =>
    METRIC_NAME.test(name) && typeof number === 'number' && Number.isFinite(number);
  return entries.length <= MOST_METRICS && entries.every(fits)
    ? (Object.fromEntries(entries) as Record<string, number>)
    : undefined;
}

/** A body of exactly `length` bytes; undefined for a shorter or longer one, which is read to its end so that its sender hears the answer. */
async function readExactly(request: IncomingMessage, length: number): Promise<Uint8Array | undefined> {
  const announced = request.headers['content-length'];
  const bytes = announced === undefined || Number(announced) === length ? new Uint8Array(length) : new Uint8Array();
  let at = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (at + chunk.length <= bytes.length) bytes.set(chunk, at);
    at += chunk.length;
  }
  return at === length ? bytes : undefined;
}

function refusal(code: UpdateRefusal['code'], message: string): UpdateRefusal {
  return { code, message };
}
