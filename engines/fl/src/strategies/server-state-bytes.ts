import { FlError } from '../fl-error.ts';
import type { ServerState } from './server-step.ts';

const MAGIC = 0x52_46_53_31;
const HEAD = 20;

/**
 * A state as bytes for a checkpoint: `RFS1`, then rounds and the lengths of model, momentum and squares (uint32), then their numbers (float64), all little-endian but the name.
 * Read back, it is the same to the last bit.
 */
export function serverStateBytes({ rounds, model, momentum, squares }: ServerState): Uint8Array {
  const parts = [model, momentum, squares];
  const bytes = new Uint8Array(HEAD + 8 * parts.reduce((sum, { length }) => sum + length, 0));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  for (const [at, value] of [rounds, ...parts.map(({ length }) => length)].entries())
    view.setUint32(4 + 4 * at, value, true);
  let at = HEAD;
  for (const part of parts)
    for (const value of part) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  return bytes;
}

/** The state that {@link serverStateBytes} wrote. Throws FlError `bad-encoding` for anything else. */
export function parseServerState(bytes: Uint8Array): ServerState {
  const refuse = (): never => {
    throw new FlError('bad-encoding', 'these bytes are no checkpoint of a federation');
  };
  if (bytes.length < HEAD) refuse();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== MAGIC) refuse();
  const [rounds, ...lengths] = [4, 8, 12, 16].map((at) => view.getUint32(at, true)) as [number, number, number, number];
  const [count] = lengths;
  if (lengths.some((length) => length !== count && length !== 0) || count === 0) refuse();
  if (bytes.length !== HEAD + 8 * lengths.reduce((sum, length) => sum + length, 0)) refuse();
  let at = HEAD;
  const [model, momentum, squares] = lengths.map((length) => {
    const part = Float64Array.from({ length }, (_, index) => view.getFloat64(at + 8 * index, true));
    at += 8 * length;
    return part;
  }) as [Float64Array, Float64Array, Float64Array];
  for (const part of [model, momentum, squares]) if (!part.every(Number.isFinite)) refuse();
  return { rounds, model, momentum, squares };
}
