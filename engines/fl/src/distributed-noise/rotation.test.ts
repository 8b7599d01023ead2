import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRng } from '@ringfence/base';
import { withKernels } from '../kernels/compiled.ts';
import { rotate, SIGN_BYTES, unrotate } from './rotation.ts';

const rng = seededRng('rotation');

function inKernels(values: Float64Array, step: typeof rotate, seed: Uint8Array): Float64Array {
  const dimension = values.length;
  return withKernels([8 * dimension, SIGN_BYTES], (kernels) => {
    const [at = 0, signs = 0] = kernels.at;
    const held = new Float64Array(kernels.buffer, at, dimension);
    held.set(values);
    step(kernels, { values: at, dimension, signs }, seed);
    return held.slice();
  });
}

function transformed(values: Float64Array): Float64Array {
  return withKernels([8 * values.length], ({ transform, at: [at = 0], buffer }) => {
    const held = new Float64Array(buffer, at, values.length);
    held.set(values);
    transform(at, values.length);
    return held.slice();
  });
}

const whole = (count: number) => Float64Array.from(new Int16Array(Uint8Array.from(rng.bytes(2 * count)).buffer));
const parity = (bits: number): number => (bits === 0 ? 0 : (bits & 1) ^ parity(bits >>> 1));

describe('the Walsh-Hadamard transform', () => {
  it('is a matrix of signs: that of row and column is whether they share an odd number of bits', () => {
    for (let log = 0; log <= 8; log += 1) {
      const values = whole(2 ** log);
      const slow = values.map((_, row) => values.reduce((sum, x, at) => sum + (parity(row & at) ? -x : x), 0));
      assert.deepEqual(transformed(values), slow);
    }
  });

  it('twice is as many times as it has numbers, in the cache and beyond', () => {
    for (const log of [11, 12, 13, 14, 15, 16, 17]) {
      const values = whole(2 ** log);
      assert.deepEqual(
        transformed(transformed(values)),
        values.map((value) => value * 2 ** log),
      );
      // A column of the matrix, so that an order of its own would be seen.
      const unit = new Float64Array(2 ** log);
      const place = 2 ** log - 11;
      unit[place] = 1;
      assert.ok(transformed(unit).every((value, row) => value === (parity(row & place) ? -1 : 1)));
    }
  });
});

describe('a rotation', () => {
  it('keeps norms and comes back, in every dimension', () => {
    const dimensions = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 71, max: 40_000 }));
    fc.assert(
      fc.property(dimensions, fc.uint8Array({ minLength: 32, maxLength: 32 }), (dimension, seed) => {
        const values = whole(dimension);
        const norm = (vector: Float64Array) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
        const rotated = inKernels(values, rotate, seed);
        assert.ok(Math.abs(norm(rotated) / norm(values) - 1) < 1e-12);
        const back = inKernels(rotated, unrotate, seed);
        assert.ok(norm(back.map((value, at) => value - (values[at] as number))) <= 1e-12 * norm(values));
      }),
      { seed: 12, numRuns: 150 },
    );
  });

  it('uses a sign of its own for each of many numbers', () => {
    // Pieces of signs end at 65,536: were a piece used again, the halves of what all ones become would be alike.
    const ones = inKernels(new Float64Array(2 ** 17).fill(1), rotate, new Uint8Array(32).fill(2));
    const back = transformed(ones).map((value) => value / Math.sqrt(2 ** 17));
    assert.ok(back.every((value) => Math.abs(Math.abs(value) - 1) < 1e-9));
    const alike = back
      .subarray(0, 2 ** 16)
      .filter((value, at) => Math.sign(value) === Math.sign(back[at + 2 ** 16] ?? 0));
    assert.ok(Math.abs(alike.length - 2 ** 15) < 5 * 128, `${alike.length} of ${2 ** 16}`);
    const values = whole(200_001);
    const again = inKernels(inKernels(values, rotate, new Uint8Array(32)), unrotate, new Uint8Array(32));
    assert.ok(again.every((value, at) => Math.abs(value - (values[at] ?? 0)) < 1e-6));
  });

  it('is another with another seed', () => {
    const values = whole(1_000);
    assert.notDeepEqual(
      inKernels(values, rotate, new Uint8Array(32)),
      inKernels(values, rotate, new Uint8Array(32).fill(1)),
    );
  });
});
