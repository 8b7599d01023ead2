import { concatBytes, fromUtf8, utf8 } from '@ringfence/base';
import { FlError } from '@ringfence/fl/error';
import {
  afterEvaluation,
  nextTask,
  NOT_EVALUATED,
  numberOf,
  type RoundTask,
  type StopState,
} from '@ringfence/protocol/federation';
import type { Contract } from '@ringfence/protocol/statements';
import { z } from 'zod';
import { littleEndianBytes, littleEndianFloats } from '../job-socket/read-update.ts';
import type { RoundFigures } from '../round/figures.ts';

const HEAD_BYTES = 4;
const kept = z.strictObject({
  v: z.literal(1),
  /** Sums of training that were in the model at the last evaluation. */
  evaluated: z.int().min(0),
  best: z.number().nullable(),
  since: z.int().min(0),
  stopped: z.boolean(),
  /** Bytes of the best model, which follow; 0 for none. */
  model: z.int().min(0),
});

type Terms = Pick<Contract, 'rounds' | 'evaluation'>;

/** What evaluations of a federation have said so far, by the contract's rule: what the next round is for, when there is none any more, and which model it ends with. */
export class Evaluations {
  readonly #terms: Terms;
  #evaluated = 0;
  #state: StopState = NOT_EVALUATED;
  #stopped = false;
  #best: Float32Array | undefined;

  /** Before the first round. */
  constructor(terms: Terms) {
    this.#terms = terms;
  }

  /** What {@link keep} wrote, and the strategy's state that it kept beside it. Throws FlError `bad-encoding`. */
  static read(terms: Terms, bytes: Uint8Array): { readonly evaluations: Evaluations; readonly state: Uint8Array } {
    const evaluations = new Evaluations(terms);
    if (terms.evaluation === undefined) return { evaluations, state: bytes };
    return { evaluations, state: evaluations.#read(bytes) };
  }

  /** `state` with what is known here behind it; as it is where the contract asks for no evaluation. */
  keep(state: Uint8Array): Uint8Array {
    if (this.#terms.evaluation === undefined) return state;
    const model = this.#best === undefined ? new Uint8Array() : littleEndianBytes(this.#best);
    const [evaluated, stopped] = [this.#evaluated, this.#stopped];
    const text = utf8(JSON.stringify({ v: 1, evaluated, ...this.#state, stopped, model: model.length }));
    const head = new DataView(new ArrayBuffer(HEAD_BYTES));
    head.setUint32(0, text.length);
    return concatBytes(new Uint8Array(head.buffer), text, model, state);
  }

  /** What the next round is for when `summed` sums of training are in the model; undefined when there is none. */
  next(summed: number): RoundTask | undefined {
    return this.#stopped ? undefined : nextTask(this.#terms, { summed, evaluated: this.#evaluated });
  }

  /** Takes in how `model` did, that of `summed` sums; a metric that nobody reported is no improvement. */
  take(summed: number, model: Float32Array, { metrics }: RoundFigures): void {
    this.#evaluated = summed;
    const stop = this.#terms.evaluation?.stop;
    if (stop === undefined) return;
    const value = metrics[stop.metric] ?? Number.NaN;
    const before = this.#state.best;
    const rule = { patience: stop.patience, least: numberOf(stop.minDelta) };
    const after = afterEvaluation(rule, this.#state, stop.metric === 'loss' ? value : -value);
    this.#state = { best: after.best, since: after.since };
    this.#stopped = after.stop;
    if (after.best !== before) this.#best = model;
  }

  /** The model that the federation ends with: where evaluations may end it the best, else the last. */
  final(last: Float32Array): Float32Array {
    return this.#best ?? last;
  }

  #read(bytes: Uint8Array): Uint8Array {
    try {
      const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
      const end = HEAD_BYTES + length;
      const read = kept.parse(JSON.parse(fromUtf8(bytes.subarray(HEAD_BYTES, end))));
      if (read.model % 4 !== 0 || end + read.model > bytes.length) throw new RangeError('a model that is cut off');
      this.#evaluated = read.evaluated;
      this.#state = { best: read.best, since: read.since };
      this.#stopped = read.stopped;
      if (read.model > 0) this.#best = littleEndianFloats(bytes.subarray(end, end + read.model));
      return Uint8Array.from(bytes.subarray(end + read.model));
    } catch (cause) {
      throw new FlError('bad-encoding', 'these bytes are no checkpoint of a federation with evaluations', { cause });
    }
  }
}
