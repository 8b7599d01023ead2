import { closeSync, fsyncSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { utf8 } from '@ringfence/base';
import type { FederationTerms } from './round/federation-terms.ts';
import { littleEndianBytes } from './job-socket/read-update.ts';

/** Name of the model in the output of a client's job. */
export const MODEL_FILE = 'model.safetensors';

/**
 * The model as a safetensors file: u64 length of the header, the header as JSON, then float32 values. One tensor, `parameters`, holds all of them in the order in
 * which jobs see them; the header's metadata says what trained it.
 */
export function modelFile(model: Float32Array, { digest, contract }: FederationTerms): Uint8Array {
  const spec = contract.code.kind === 'embedded' ? { model: JSON.stringify(contract.code.model) } : {};
  const header = {
    __metadata__: {
      format: 'ringfence-federation/1',
      contract: digest,
      rounds: String(contract.rounds.count),
      ...spec,
    },
    parameters: { dtype: 'F32', shape: [model.length], data_offsets: [0, model.length * 4] },
  };
  const text = JSON.stringify(header);
  // Values begin at a multiple of eight bytes.
  const padded = utf8(text.padEnd(Math.ceil(utf8(text).length / 8) * 8 + text.length - utf8(text).length));
  const bytes = new Uint8Array(8 + padded.length + model.length * 4);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded.length), true);
  bytes.set(padded, 8);
  bytes.set(littleEndianBytes(model), 8 + padded.length);
  return bytes;
}

/** Removes all that is in the folder of an output: no link is followed. */
export function emptyFolder(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
}

/** Writes the model into the empty folder of an output. */
export function writeModelFile(folder: string, bytes: Uint8Array): void {
  const file = openSync(join(folder, MODEL_FILE), 'wx', 0o644);
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
