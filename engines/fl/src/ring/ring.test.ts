import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fromHex, Secret, seededRng, toHex } from '@ringfence/base';
import {
  addMask,
  addMasks,
  addPacked,
  addVectors,
  maskSeed,
  packedBytes,
  packRing,
  reduce,
  ringMask,
  ringWidth,
  unpackRing,
} from './index.ts';

const rng = seededRng('ring');
const seedOf = (bytes: Uint8Array) => maskSeed(new Secret(Uint8Array.from(bytes)));
const randomWords = (count: number) => new Uint32Array(Uint8Array.from(rng.bytes(4 * count)).buffer);
const width = fc.integer({ min: 8, max: 32 }).map(ringWidth);

/** Packing as its definition says it, one bit after the other. */
function slowPack(values: Uint32Array, bits: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((values.length * bits) / 8));
  for (const [at, value] of values.entries())
    for (let bit = 0; bit < bits; bit += 1) {
      const place = at * bits + bit;
      bytes[place >> 3] = (bytes[place >> 3] ?? 0) | (((value >>> bit) & 1) << (place & 7));
    }
  return bytes;
}

describe('masks', () => {
  it('are the stream of AES-128-CTR (NIST SP 800-38A F.5.1)', () => {
    const key = fromHex('2b7e151628aed2a6abf7158809cf4f3c');
    const counter = fromHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
    const words = new Uint32Array(16);
    addMask(words, { seed: seedOf(Buffer.concat([key, counter])), sign: 1 }, ringWidth(32));
    // The output blocks of F.5.1, which are the stream itself.
    assert.equal(
      toHex(new Uint8Array(words.buffer)),
      'ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae' +
        '6a2cc3787889374fbeb4c81b17ba6c44e89c399ff0f198c6d40a31db156cabfe',
    );
  });

  it('cancel, over the ends of pieces, in whatever order', () => {
    for (const length of [0, 1, 5, 16_383, 16_384, 16_385, 50_001]) {
      const values = randomWords(length);
      const sum = values.slice();
      const [a, b] = [seedOf(rng.bytes(32)), seedOf(rng.bytes(32))];
      for (const bits of [8, 20, 29, 32].map(ringWidth)) {
        addMasks(
          sum,
          [
            { seed: a, sign: 1 },
            { seed: b, sign: -1 },
          ],
          bits,
        );
        if (length > 4) assert.notDeepEqual(sum, values);
        addMask(sum, { seed: b, sign: 1 }, bits);
        addMask(sum, { seed: a, sign: -1 }, bits);
        assert.deepEqual(sum, values);
      }
    }
  });

  it('are the same many at once as one after the other, whatever their signs', () => {
    for (let bits = 8; bits <= 32; bits += 1) {
      const masks = Array.from({ length: 13 }, (_, at) => ({
        seed: seedOf(rng.bytes(32)),
        sign: at % 3 === 0 ? (-1 as const) : (1 as const),
      }));
      const together = randomWords(70_003);
      const single = together.slice();
      addMasks(together, masks, ringWidth(bits));
      for (const mask of masks) addMask(single, mask, ringWidth(bits));
      assert.ok(Buffer.from(together.buffer).equals(Buffer.from(single.buffer)), `${bits} bits`);
    }
  });

  it('are the whole stream, past the end of a piece', () => {
    const secret = rng.bytes(32);
    const words = new Uint32Array(40_000);
    const stream = createCipheriv('aes-128-ctr', secret.subarray(0, 16), secret.subarray(16));
    const plain = stream.update(Buffer.alloc(160_000));
    for (let bits = 8; bits <= 32; bits += 1) {
      words.fill(0);
      addMask(words, { seed: seedOf(secret), sign: 1 }, ringWidth(bits));
      assert.ok(Buffer.from(slowPack(words, bits)).equals(plain.subarray(0, 5_000 * bits)), `${bits} bits`);
      addMask(words, { seed: seedOf(secret), sign: -1 }, ringWidth(bits));
      assert.ok(words.every((word) => word === 0));
    }
  });

  it('take seeds of 32 bytes that are still there', () => {
    assert.throws(() => maskSeed(new Secret(new Uint8Array(16))), { code: 'bad-size' });
    const seed = seedOf(rng.bytes(32));
    seed[Symbol.dispose]();
    assert.throws(() => addMask(new Uint32Array(1), { seed, sign: 1 }, ringWidth(20)), { code: 'wiped' });
  });
});

describe('packed values', () => {
  it('have no gap and come back, at every width', () => {
    fc.assert(
      fc.property(width, fc.uint32Array({ maxLength: 70 }), (bits, values) => {
        const packed = packRing(values, bits);
        assert.deepEqual(packed, slowPack(values, bits));
        const reduced = values.slice();
        reduce(reduced, bits);
        assert.deepEqual(unpackRing(packed, bits, values.length), reduced);
      }),
      { seed: 6, numRuns: 2_000 },
    );
  });

  it('are added where they belong, and pieces make the whole', () => {
    fc.assert(
      fc.property(width, fc.uint32Array({ minLength: 8, maxLength: 90 }), fc.nat(), (bits, values, cut) => {
        const at = 8 * (cut % Math.ceil(values.length / 8));
        const sum = randomWords(values.length);
        const expected = sum.map((word, index) => word + (values[index] ?? 0));
        assert.equal(addPacked(sum, packRing(values.subarray(0, at), bits), bits, 0), at);
        addPacked(sum, packRing(values.subarray(at), bits), bits, at);
        reduce(sum, bits);
        reduce(expected, bits);
        assert.deepEqual(sum, expected);
      }),
      { seed: 7, numRuns: 1_000 },
    );
  });

  it('are the same over the ends of pieces', () => {
    const values = randomWords(40_003);
    for (const bits of [8, 13, 20, 31, 32].map(ringWidth)) {
      const packed = packRing(values, bits);
      assert.ok(Buffer.from(slowPack(values, bits)).equals(packed));
      const sum = new Uint32Array(50_000).fill(3);
      assert.equal(addPacked(sum, packed, bits, 9_000), 40_003);
      const expected = values.map((value) => value & ringMask(bits));
      assert.ok(sum.every((value, at) => value === (3 + (expected[at - 9_000] ?? 0)) >>> 0));
    }
  });

  it('of many vectors add up as whole numbers do, whatever their width, length and number', () => {
    const vectors = width.chain((bits) =>
      fc.integer({ min: 0, max: 45 }).chain((length) => {
        // The largest value often: it is where a sum could run over into its neighbour.
        const value = fc.oneof(fc.constant(ringMask(bits)), fc.integer({ min: 0, max: ringMask(bits) }));
        const values = fc.array(value, { minLength: length, maxLength: length });
        return fc.record({
          bits: fc.constant(bits),
          values: fc.array(values, { maxLength: 9 }),
          length: fc.constant(length),
        });
      }),
    );
    fc.assert(
      fc.property(vectors, ({ bits, values, length }) => {
        const sum = randomWords(length);
        const expected = Array.from(sum, (word, at) =>
          values.reduce((total, each) => total + BigInt(each[at] ?? 0), BigInt(word)),
        );
        const packed = values.map((each) => slowPack(Uint32Array.from(each), bits));
        addVectors(sum, packed, bits);
        assert.deepEqual(
          Array.from(sum, BigInt),
          expected.map((total) => BigInt.asUintN(32, total)),
        );
      }),
      { seed: 8, numRuns: 3_000 },
    );
  });

  it('of many vectors are added to the last bit over the ends of pieces', () => {
    for (let bits = 8; bits <= 32; bits += 1) {
      const piece = 8 * Math.floor(65_536 / bits);
      for (const [count, length] of [
        [5, piece - 3],
        [4, piece + 1],
      ] as const) {
        const values = Array.from({ length: count }, () =>
          randomWords(length).map((each) => each & ringMask(ringWidth(bits))),
        );
        values[0]?.fill(ringMask(ringWidth(bits)));
        const sum = randomWords(length);
        const expected = sum.map((word, at) => values.reduce((total, each) => total + (each[at] ?? 0), word));
        addVectors(
          sum,
          values.map((each) => packRing(each, ringWidth(bits))),
          ringWidth(bits),
        );
        assert.ok(Buffer.from(sum.buffer).equals(Buffer.from(expected.buffer)), `${count} × ${length} of ${bits} bits`);
      }
    }
  });

  it('of another length, or with spare bits set, are refused and change nothing', () => {
    const twelve = ringWidth(12);
    const packed = packRing(Uint32Array.of(1, 2, 3), twelve);
    assert.equal(packed.length, packedBytes(3, twelve));
    for (const count of [1, 2, 4, -1, 2.5, NaN])
      assert.throws(() => unpackRing(packed, twelve, count), { code: 'bad-size' });
    packed[4] = 0x10;
    assert.throws(() => unpackRing(packed, twelve, 3), { code: 'bad-encoding' });
    const sum = new Uint32Array(3);
    assert.throws(() => addPacked(sum, packed, twelve, 0), { code: 'bad-encoding' });
    assert.throws(() => addPacked(sum, new Uint8Array(9), twelve, 0), { code: 'bad-size' });
    assert.throws(() => addPacked(sum, new Uint8Array(3), twelve, 2), { code: 'bad-size' });
    // 13 bytes hold 3 values of 31 bits and 11 bits more.
    assert.throws(() => addPacked(sum, new Uint8Array(13), ringWidth(31), 0), { code: 'bad-size' });
    const good = packRing(Uint32Array.of(1, 2, 3), twelve);
    assert.throws(() => addVectors(sum, [good, packed], twelve), { code: 'bad-encoding' });
    for (const other of [good.subarray(0, 3), new Uint8Array(6)])
      assert.throws(() => addVectors(sum, [good, good, good, other], twelve), { code: 'bad-size' });
    assert.deepEqual([...sum], [0, 0, 0]);
  });

  it('of any bytes are refused or are what packing gives', () => {
    let taken = 0;
    for (let time = 0; time < 100_000; time += 1) {
      const [bits, length, count] = [ringWidth(8 + (time % 25)), (time >> 3) % 40, (time >> 5) % 40];
      const bytes = Uint8Array.from(rng.bytes(length));
      // Else one in a hundred would get past the spare bits.
      if (time % 3 === 0 && length > 0) bytes[length - 1] = 0;
      try {
        const values = unpackRing(bytes, bits, count);
        taken += 1;
        assert.deepEqual(packRing(values, bits), bytes);
      } catch (error) {
        assert.ok(['bad-size', 'bad-encoding'].includes((error as { code: string }).code));
      }
    }
    assert.ok(taken > 500, `${taken} were taken`);
  });

  it('have 8 to 32 bits', () => {
    for (const bits of [7, 33, 8.5, NaN]) assert.throws(() => ringWidth(bits), { code: 'bad-parameters' });
  });
});
