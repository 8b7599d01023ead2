import assert from 'node:assert/strict';
import { it } from 'node:test';
import { seededRng } from '@ringfence/base';
import { Skellam } from '@ringfence/dp/mechanisms';
import { withKernels } from '../kernels/compiled.ts';
import { KeyStream } from '../ring/key-stream.ts';
import { addSkellam, NOISE_BYTES, skellamTable } from './skellam-noise.ts';

/** What a stream of this seed yields by the plain sampler. */
function plain(variance: number, seed: Uint8Array, count: number): Int32Array {
  const stream = new KeyStream(seed);
  const values = new Int32Array(count);
  const bytes = (length: number) => {
    const drawn = new Uint8Array(length);
    stream.fill(drawn);
    return drawn;
  };
  new Skellam(variance, { bytes }).fill(values);
  return values;
}

function byKernel(variance: number, seed: Uint8Array, count: number): Int32Array {
  const bytes = skellamTable(variance);
  return withKernels([4 * count, NOISE_BYTES, bytes.length], (kernels) => {
    const [at = 0, random = 0, table = 0] = kernels.at;
    new Uint8Array(kernels.buffer, table).set(bytes);
    addSkellam(kernels, { at, count }, { table, random }, new KeyStream(seed));
    return new Int32Array(kernels.buffer, at, count).slice();
  });
}

it('the kernel draws what the plain sampler draws from the same bytes, narrow and wide', () => {
  const rng = seededRng('noise');
  for (const variance of [2, 4, 50, 1_000, 2_000_000]) {
    const seed = rng.bytes(32);
    assert.deepEqual(byKernel(variance, seed, 20_000), plain(variance, seed, 20_000));
  }
});

it('the guide leads to the first entry at the ends, and wherever twelve bits change', () => {
  for (const variance of [2, 600]) {
    const bytes = skellamTable(variance);
    const entries = new BigUint64Array(bytes.buffer, 16_400);
    const numbers: [bigint, bigint][] = [
      [0n, 0n],
      [2n ** 64n - 1n, 2n ** 64n - 1n],
    ];
    for (let at = 0; at < entries.length; at += 2) {
      const [high, low] = [entries[at] as bigint, entries[at + 1] as bigint];
      const first = (high >> 52n) << 52n;
      numbers.push(
        [high, low],
        [high, low === 0n ? 0n : low - 1n],
        [first, 0n],
        [first === 0n ? 0n : first - 1n, 2n ** 64n - 1n],
      );
    }
    const slow = ([top, rest]: [bigint, bigint]) => {
      let at = 0;
      while (at < entries.length / 2 - 1) {
        const [high, low] = [entries[2 * at] as bigint, entries[2 * at + 1] as bigint];
        if (high > top || (high === top && low > rest)) break;
        at += 1;
      }
      return at;
    };
    const got = withKernels([4 * numbers.length, 32 * numbers.length, bytes.length], (kernels) => {
      const [words = 0, random = 0, table = 0] = kernels.at;
      new Uint8Array(kernels.buffer, table).set(bytes);
      // What is taken away is the entry of zero.
      const drawn = new BigUint64Array(kernels.buffer, random, 4 * numbers.length);
      for (const [at, [top, rest]] of numbers.entries()) drawn.set([top, rest], 4 * at);
      kernels.addSkellam(words, random, numbers.length, table);
      return [...new Int32Array(kernels.buffer, words, numbers.length)];
    });
    assert.deepEqual(
      got,
      numbers.map((number) => slow(number) - slow([0n, 0n])),
    );
  }
});
