// Seals one file into another with digest, in a worker of its own: reads, segments, hashes, writes.
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { newId, systemRng } from '@ringfence/base';
import { DataKey, sealObject } from '@ringfence/crypto/seal';

/** What a worker seals. */
export interface SealWork {
  readonly from: string;
  readonly to: string;
}

const PIECE = 1 << 20;

/** Seals `from` into `to`; resolves with the plaintext's bytes. */
export async function sealFile({ from, to }: SealWork): Promise<number> {
  const identity = {
    org: newId('org', systemRng),
    project: newId('project', systemRng),
    object: newId('artifact', systemRng),
    version: 1,
  };
  const out = openSync(to, 'w', 0o600);
  const sealing = sealObject({ dataKey: DataKey.generate(systemRng), identity, rng: systemRng }, pieces(from));
  for (let step = await sealing.next(); ; step = await sealing.next()) {
    if (step.done === true) {
      closeSync(out);
      return step.value.plaintextSize;
    }
    writeSync(out, step.value);
  }
}

function* pieces(path: string): Generator<Uint8Array> {
  const file = openSync(path, 'r');
  try {
    for (;;) {
      // A piece must not change once it was given, so each is a buffer of its own.
      const piece = Buffer.allocUnsafeSlow(PIECE);
      const read = readSync(file, piece);
      if (read === 0) return;
      yield piece.subarray(0, read);
    }
  } finally {
    closeSync(file);
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const work = workerData as SealWork;
  port.once('message', () => void sealFile(work).then((bytes) => port.postMessage(bytes)));
  port.postMessage('ready');
}
