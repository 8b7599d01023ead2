// Fashion-MNIST as Debian's package dataset-fashion-mnist lays it out: IDX files of bytes, gzip.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Examples } from '@ringfence/fl/trainer';

export const FASHION_FOLDER = '/usr/share/datasets/fashion-mnist';

/** Training and test rows with values from 0 to 1, or undefined where the package is not installed. */
export function readFashion(): { train: Examples; test: Examples } | undefined {
  if (!existsSync(FASHION_FOLDER)) return undefined;
  return { train: readPart('train'), test: readPart('t10k') };
}

function readPart(part: string): Examples {
  const images = readIdx(`${part}-images-idx3-ubyte.gz`);
  const labels = readIdx(`${part}-labels-idx1-ubyte.gz`);
  const inputs = images.length / labels.length;
  return { rows: Float32Array.from(images, (value) => value / 255), labels: Uint16Array.from(labels), inputs };
}

function readIdx(name: string): Uint8Array {
  const bytes = gunzipSync(readFileSync(join(FASHION_FOLDER, name)));
  const dimensions = bytes[3] ?? 0;
  if (bytes.readUInt16BE(0) !== 0 || bytes[2] !== 8) throw new Error(`${name} is not an IDX file of bytes`);
  return bytes.subarray(4 + 4 * dimensions);
}
