import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { seededRng, type Rng } from '@ringfence/base';
import {
  chooseWidth,
  decodeSum,
  encodeUpdate,
  encodingOf,
  noiseAgainst,
  planEncoding,
  rotationSeed,
  type EncodingWishes,
  wrapLog2,
} from './index.ts';
import { FlError } from '../fl-error.ts';
import { withKernels } from '../kernels/compiled.ts';
import { KeyStream } from '../ring/key-stream.ts';
import { ROUNDING_BYTES, roundWithin } from './rounding.ts';
import { roundedSensitivity } from './sensitivity.ts';
import type { EncodingTerms, UpdateEncoding } from './update-encoding.ts';

const rng = seededRng('distributed noise');
const seed = rotationSeed(new Uint8Array(32), 1);

const plain = { dimension: 100, clients: 5, clipOf: 'update', clip: 1, noise: null } as const;
const noised = { ...plain, noise: { multiplier: 1, honestMin: 4 } } as const;

/** Uniform in [−1, 1). */
function randomVector(length: number): Float64Array {
  const words = new Int32Array(Uint8Array.from(rng.bytes(4 * length)).buffer);
  return Float64Array.from(words, (word) => word / 2 ** 31);
}

function normOf(values: ArrayLike<number>): number {
  return Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
}

function scaledTo(values: Float64Array, norm: number): Float64Array {
  const factor = norm / normOf(values);
  return values.map((value) => value * factor);
}

/** Scaled numbers rounded as the encoder does it, with words from `chance`. */
function roundedWithin(scaled: Float64Array, encoding: UpdateEncoding, chance: Rng): Int32Array {
  const { length } = scaled;
  return withKernels([8 * length, 4 * length, ROUNDING_BYTES], (kernels) => {
    const [values = 0, rounded = 0, random = 0] = kernels.at;
    new Float64Array(kernels.buffer, values, length).set(scaled);
    roundWithin(kernels, { values, rounded, random }, encoding, KeyStream.from(chance));
    return new Int32Array(kernels.buffer, rounded, length).slice();
  });
}

/** Sum in the ring, as whoever adds up uploads gets it. */
function sumOf(updates: readonly Float64Array[], encoding: UpdateEncoding): Uint32Array {
  const sum = new Uint32Array(encoding.dimension);
  for (const update of updates)
    for (const [at, value] of encodeUpdate(update, encoding, seed, rng).entries()) sum[at] = (sum[at] ?? 0) + value;
  return sum;
}

function plainSum(updates: readonly Float64Array[]): Float64Array {
  return (updates[0] as Float64Array).map((_, at) => updates.reduce((sum, update) => sum + (update[at] ?? 0), 0));
}

describe('updates without noise', () => {
  it('sum up within the stated error, in every dimension', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 6 }), (dimension, clients) => {
        const encoding = planEncoding({ ...plain, dimension, clients });
        const updates = Array.from({ length: clients }, () => scaledTo(randomVector(dimension), 0.99));
        const got = decodeSum(sumOf(updates, encoding), encoding, seed);
        const error = normOf(plainSum(updates).map((value, at) => value - (got[at] ?? 0)));
        assert.ok(error <= (clients * Math.sqrt(dimension)) / encoding.scale, `${error}`);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('are right on average', () => {
    // A scale at which nearly all is decided by rounding.
    const encoding = encodingOf({ ...plain, dimension: 3, clients: 1, scale: 2, width: 8 });
    const update = Float64Array.of(0.3, -0.55, 0.1);
    const mean = new Float64Array(3);
    const times = 4_000;
    for (let time = 0; time < times; time += 1)
      for (const [at, value] of decodeSum(sumOf([update], encoding), encoding, seed).entries())
        mean[at] = (mean[at] ?? 0) + value / times;
    for (const [at, value] of mean.entries()) assert.ok(Math.abs(value - (update[at] ?? 0)) < 5 / Math.sqrt(times) / 2);
  });

  it('are clipped: a longer one counts as one of the norm', () => {
    const encoding = planEncoding({ ...plain, clients: 1 });
    const update = scaledTo(randomVector(100), 50);
    const got = decodeSum(sumOf([update], encoding), encoding, seed);
    const expected = scaledTo(update, 1);
    assert.ok(normOf(got.map((value, at) => value - (expected[at] ?? 0))) < 10 / encoding.scale);
  });

  it('are flat after the rotation, whatever they were', () => {
    const encoding = planEncoding({ ...plain, dimension: 3_000, clients: 1 });
    for (const at of [0, 951, 952, 2_047, 2_048, 2_999]) {
      const spike = new Float64Array(3_000);
      spike[at] = 1;
      const spare = 32 - encoding.width;
      const largest = encodeUpdate(spike, encoding, seed, rng).reduce(
        (most, value) => Math.max(most, Math.abs((value << spare) >> spare)),
        0,
      );
      assert.ok(largest <= (6 * encoding.scale) / Math.sqrt(2_048), `number ${at}: ${largest}`);
    }
  });

  it('are refused with a number that is none, or of another length', () => {
    const encoding = planEncoding({ ...plain, dimension: 3 });
    for (const bad of [NaN, Infinity, -Infinity, 1e200])
      assert.throws(() => encodeUpdate(Float64Array.of(0, bad, 0), encoding, seed, rng), { code: 'bad-update' });
    assert.throws(() => encodeUpdate(new Float64Array(2), encoding, seed, rng), { code: 'bad-size' });
    assert.throws(() => decodeSum(new Uint32Array(4), encoding, seed), { code: 'bad-size' });
  });
});

describe('updates with noise', () => {
  it('sum up to the truth plus noise of the promised width', () => {
    const encoding = planEncoding({ ...noised, dimension: 20_000, noise: { multiplier: 2, honestMin: 5 } });
    const updates = Array.from({ length: 5 }, () => scaledTo(randomVector(20_000), 1));
    const got = decodeSum(sumOf(updates, encoding), encoding, seed);
    const noise = plainSum(updates).map((value, at) => (got[at] ?? 0) - value);
    const { l2 } = roundedSensitivity(encoding);
    const each = normOf(noise) / Math.sqrt(20_000);
    const wanted = (2 * l2) / encoding.scale;
    // Rounding adds a quarter for each client to a variance in the hundreds of thousands.
    assert.ok(Math.abs(each / wanted - 1) < 5 / Math.sqrt(2 * 20_000), `${each} for ${wanted}`);
  });

  it('have noise from several draws where one table would be too wide', () => {
    const encoding = planEncoding({ ...plain, dimension: 20_000, noise: { multiplier: 12, honestMin: 1 } });
    assert.ok(encoding.variance > 2 ** 27 && encoding.variance % 4 === 0);
    const silent = new Float64Array(20_000);
    const noise = decodeSum(encodeUpdate(silent, encoding, seed, rng), encoding, seed);
    const each = (normOf(noise) / Math.sqrt(20_000)) * encoding.scale;
    assert.ok(Math.abs(each / Math.sqrt(encoding.variance) - 1) < 5 / Math.sqrt(2 * 20_000));
  });

  it('never leave the bound that the noise was made for', () => {
    // So coarse that most of the norm comes from rounding, and many a try is thrown away.
    const encoding = encodingOf({ ...noised, dimension: 64, scale: 3, width: 16 });
    const { l1, l2 } = roundedSensitivity(encoding);
    let longest = 0;
    for (let time = 0; time < 2_000; time += 1)
      longest = Math.max(longest, normOf(roundedWithin(scaledTo(randomVector(64), 3), encoding, rng)));
    assert.ok(longest <= l2 && longest > 0.97 * l2, `${longest} of ${l2}`);
    assert.ok(l1 <= l2 * l2 && l1 <= 8 * l2);
  });

  it('by unit: rounded with the same words, neighbours are apart as one unit is', () => {
    const terms = { ...noised, clipOf: 'unit', dimension: 400, scale: 30, width: 24 } as const;
    const encoding = encodingOf(terms);
    assert.ok(encoding.norm > 20 * encoding.clip, 'a client has many units');
    const { l2, delta } = roundedSensitivity(encoding);
    assert.ok(delta > 0 && delta < 1e-20);
    for (let time = 0; time < 200; time += 1) {
      const all = scaledTo(randomVector(400), 15 * 30);
      const unit = scaledTo(randomVector(400), 30);
      const without = all.map((value, at) => value - (unit[at] ?? 0));
      const [a, b] = [all, without].map((values) => roundedWithin(values, encoding, seededRng(`words ${time}`)));
      const apart = normOf((a as Int32Array).map((value, at) => value - (b?.[at] ?? 0)));
      assert.ok(apart <= l2 && apart > 20, `${apart} of ${l2}`);
    }
  });

  it('have the sensitivity of the paper, by hand', () => {
    const whole = { dimension: 10_000, clip: 4, scale: 25, clipOf: 'update' } as const;
    // c² + d/4 + √(2 ln 1/β) · (c + √d/2) with β = e^−1/2; the other bound on it is (c + √d)² = 40,000.
    assert.deepEqual(roundedSensitivity(whole), { l1: 100 * Math.sqrt(12_650), l2: Math.sqrt(12_650), delta: 0 });
    // β = 2^−80.
    const unit = roundedSensitivity({ ...whole, clipOf: 'unit' });
    const expected = Math.sqrt(10_000 + 2_500 + Math.sqrt(160 * Math.LN2) * 150);
    assert.ok(Math.abs(unit.l2 / expected - 1) < 1e-9 && unit.l2 > expected && unit.delta === 2 ** -80);
    // Few numbers: no rounding moves a vector by more than one in each. Short ones have few that are not zero.
    const few = roundedSensitivity({ dimension: 4, clip: 1, scale: 1, clipOf: 'unit' });
    assert.ok(Math.abs(few.l2 - 3) < 1e-8 && Math.abs(few.l1 - 6) < 1e-8);
    const short = roundedSensitivity({ dimension: 100, clip: 1, scale: 0.1, clipOf: 'update' });
    assert.ok(short.l1 <= short.l2 ** 2);
  });

  it('make events for outsiders, one member and all others', () => {
    const encoding = planEncoding(noised);
    const { outsiders, member, others } = noiseAgainst(encoding, { rounds: 7 });
    const { l1, l2 } = roundedSensitivity(encoding);
    assert.deepEqual(outsiders, {
      type: 'skellam',
      mu: 4 * encoding.variance,
      l1,
      l2,
      dimension: 100,
      steps: 7,
    });
    assert.deepEqual([member?.mu, others?.mu], [3 * encoding.variance, encoding.variance]);
    assert.equal(noiseAgainst(encoding, { rounds: 7, noised: 5 }).outsiders?.mu, 5 * encoding.variance);
    assert.equal(noiseAgainst(encoding, { rounds: 7, noised: 1 }).member, undefined);
    assert.equal(noiseAgainst(planEncoding(plain), { rounds: 7 }).outsiders, undefined);
    // What was promised of the sum of honestMin clients' noise is there, and not much more.
    const promised = Math.sqrt(4 * encoding.variance) / l2;
    assert.ok(promised >= 1 && promised < 1.001, `${promised}`);
    for (const noisedBy of [0, 6, 1.5])
      assert.throws(() => noiseAgainst(encoding, { rounds: 7, noised: noisedBy }), { code: 'bad-parameters' });
  });
});

/** The encoding of wishes; undefined where they are refused and may be. */
function plannedUnless(mayFail: boolean, wishes: EncodingWishes): UpdateEncoding | undefined {
  try {
    return planEncoding(wishes);
  } catch (error) {
    if (!mayFail || !(error instanceof FlError) || error.code !== 'bad-parameters') throw error;
    return undefined;
  }
}

describe('a ring for a sum', () => {
  it('is as wide as it has to be and no wider', () => {
    for (const clients of [1, 3, 100, 10_000])
      for (const dimension of [30, 1_000, 1_000_000])
        for (const noise of [null, { multiplier: 1, honestMin: clients }]) {
          const load = planEncoding({ ...plain, dimension, clients, noise });
          const { width, wrapLog2: log2 } = chooseWidth(load);
          assert.equal(width, load.width);
          assert.ok(log2 <= -40 && (width === 8 || wrapLog2(load, width - 1) > -40));
        }
  });

  it('of 20 bits is enough for a hundred clients with noise on a million numbers', () => {
    const terms = { ...plain, dimension: 1_000_000, clients: 100, noise: { multiplier: 1, honestMin: 67 } };
    assert.ok(planEncoding(terms).width <= 20);
    const coarse = planEncoding({ ...terms, width: 16 });
    assert.equal(coarse.width, 16);
    assert.ok(coarse.scale < planEncoding(terms).scale);
  });

  it('bounds what is seen: small rings overflow no more often than it says', () => {
    // At the width below the one that is chosen, for a bound that simulation can reach.
    const load = { dimension: 16, clients: 4, norm: 1, scale: 40, variance: 500 };
    for (const [width, bound] of [9, 10].map((bits) => [bits, 2 ** wrapLog2(load, bits)] as const)) {
      let wrapped = 0;
      const encoding = { ...load, clipOf: 'update', clip: 1, width: 32, honestMin: 4 } as const;
      for (let time = 0; time < 300; time += 1) {
        const same = scaledTo(randomVector(16), 1);
        const turn = rotationSeed(new Uint8Array(32), time);
        const sum = new Int32Array(16);
        for (let client = 0; client < 4; client += 1)
          for (const [at, value] of encodeUpdate(same, encoding, turn, rng).entries()) sum[at] = (sum[at] ?? 0) + value;
        if (sum.some((value) => value >= 2 ** (width - 1) || value < -(2 ** (width - 1)))) wrapped += 1;
      }
      assert.ok(wrapped / 300 <= bound + 0.05, `${wrapped} of 300 at ${width} bits, bound ${bound}`);
    }
  });

  it('that is too narrow, and terms that cannot be, are refused', () => {
    const terms: EncodingTerms = { ...noised, scale: 500, width: 24 };
    assert.equal(encodingOf(terms).width, 24);
    const bad: readonly Partial<EncodingTerms>[] = [
      { width: 8 },
      { width: 33 },
      { scale: 0 },
      { scale: NaN },
      { scale: 1e12 },
      { clip: -1 },
      { dimension: 0 },
      { dimension: 2.5 },
      { clients: 0 },
      { noise: { multiplier: 0, honestMin: 4 } },
      { noise: { multiplier: 1, honestMin: 6 } },
      { noise: { multiplier: 1e9, honestMin: 4 } },
      { clipOf: 'unit', width: 10 },
    ];
    for (const change of bad) assert.throws(() => encodingOf({ ...terms, ...change }), { code: 'bad-parameters' });
  });

  it('is found for whatever is wished within reason, and holds what was wished', () => {
    const number = (least: number, most: number) =>
      fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);
    const wishes = fc.record({
      dimension: number(1, 1e7).map(Math.floor),
      clients: number(1, 10_000).map(Math.ceil),
      clipOf: fc.constantFrom('update' as const, 'unit' as const),
      clip: number(1e-6, 1e6),
      multiplier: fc.option(number(0.01, 100)),
      honest: fc.double({ min: 0, max: 1, noNaN: true }),
      unitsInUpdate: number(1, 10_000).map(Math.ceil),
    });
    fc.assert(
      fc.property(wishes, ({ multiplier, honest, ...terms }) => {
        const honestMin = Math.max(1, Math.round(honest * terms.clients));
        const noise = multiplier === null ? null : { multiplier, honestMin };
        const far = noise !== null && (noise.multiplier ** 2 * terms.dimension) / 4 / honestMin > 2 ** 29;
        const encoding = plannedUnless(far, { ...terms, noise });
        if (encoding === undefined) return;
        const units = terms.clipOf === 'unit' ? terms.unitsInUpdate : 1;
        assert.ok(encoding.norm >= terms.clip * units * (1 - 1e-4), 'the update fits');
        assert.ok(wrapLog2(encoding, encoding.width) <= -40, 'the sum fits');
        assert.deepEqual(encodingOf({ ...terms, noise, scale: encoding.scale, width: encoding.width }), encoding);
        if (noise === null) return;
        const promised = Math.sqrt(honestMin * encoding.variance) / roundedSensitivity(encoding).l2;
        // What doubles lose of the largest norm that the ring holds is known only then; events count it.
        assert.ok(promised >= noise.multiplier * (1 - 1e-5), `${promised}`);
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it('survives JSON', () => {
    const encoding = planEncoding(noised);
    assert.deepEqual(JSON.parse(JSON.stringify(encoding)), encoding);
  });
});
