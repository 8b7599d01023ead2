import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Secret, seededRng, toHex } from '@ringfence/base';
import { withKernels } from '../kernels/compiled.ts';
import { invertPublic, multiplyPublic } from './public-field.ts';
import { combine, commitmentOf, decodeShare, encodeShare, opensCommitment, split, type Share } from './index.ts';

const rng = seededRng('sharing');
const secretOf = (bytes: Uint8Array) => new Secret(Uint8Array.from(bytes));
const hexOf = (secret: Secret) => toHex(secret.expose());

/** The field by long multiplication and long division of polynomials, written apart from what is tested. */
const FIELD = (1n << 16n) | (1n << 12n) | (1n << 3n) | 2n | 1n;
function slowMultiply(a: bigint, b: bigint): bigint {
  let product = 0n;
  for (let bit = 0n; bit < 16n; bit += 1n) if ((b >> bit) & 1n) product ^= a << bit;
  for (let bit = 31n; bit >= 16n; bit -= 1n) if ((product >> bit) & 1n) product ^= FIELD << (bit - 16n);
  return product;
}
function slowPower(a: bigint, exponent: number): bigint {
  let power = 1n;
  for (let bit = 15; bit >= 0; bit -= 1) {
    power = slowMultiply(power, power);
    if ((exponent >> bit) & 1) power = slowMultiply(power, a);
  }
  return power;
}

function slowCombine(shares: readonly Share[]): string {
  const elements = (share: Share) => {
    const bytes = share.value.expose();
    return Array.from({ length: 16 }, (_, at) => BigInt((bytes[2 * at] ?? 0) | ((bytes[2 * at + 1] ?? 0) << 8)));
  };
  const result = Array.from({ length: 16 }, () => 0n);
  for (const own of shares) {
    let weight = 1n;
    for (const other of shares) {
      if (other === own) continue;
      const under = slowPower(BigInt(own.index ^ other.index), 65_534);
      weight = slowMultiply(weight, slowMultiply(BigInt(other.index), under));
    }
    for (const [at, element] of elements(own).entries())
      result[at] = (result[at] ?? 0n) ^ slowMultiply(element, weight);
  }
  return result.map((element) => toHex(Uint8Array.of(Number(element & 255n), Number(element >> 8n)))).join('');
}

describe('GF(2^16)', () => {
  it('multiplies public and secret elements as polynomials do', () => {
    const element = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), element, (block, factor) => {
        const product = (x: number) => Number(slowMultiply(BigInt(x), BigInt(factor)));
        const elements = [...new Uint16Array(block.buffer)];
        const got = withKernels([32, 32], ({ addScaledBlock, at: [sum = 0, term = 0], buffer }) => {
          new Uint8Array(buffer, term, 32).set(block);
          addScaledBlock(sum, term, factor);
          return [...new Uint16Array(buffer, sum, 16)];
        });
        assert.deepEqual(got, elements.map(product));
        assert.deepEqual(
          elements.map((x) => multiplyPublic(x, factor)),
          got,
        );
      }),
      { seed: 9, numRuns: 5_000 },
    );
  });

  it('is a field: each element but zero has an inverse', () => {
    for (let element = 1; element <= 0xffff; element += 1)
      assert.equal(multiplyPublic(element, invertPublic(element)), 1);
  });
});

describe('a shared secret', () => {
  it('comes back from any threshold of shares, by two implementations', () => {
    const plan = fc
      .integer({ min: 1, max: 9 })
      .chain((shares) => fc.record({ shares: fc.constant(shares), threshold: fc.integer({ min: 1, max: shares }) }));
    fc.assert(
      fc.property(
        plan,
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.nat(),
        ({ shares, threshold }, bytes, turn) => {
          const dealt = split(secretOf(bytes), { threshold, shares }, rng);
          const some = Array.from({ length: threshold }, (_, at) => dealt[(turn + at) % shares] as Share);
          assert.equal(hexOf(combine(some, threshold)), toHex(bytes));
          assert.equal(slowCombine(some), toHex(bytes));
          assert.equal(hexOf(combine(dealt, threshold)), toHex(bytes));
        },
      ),
      { seed: 10, numRuns: 200 },
    );
  });

  it('has up to 65,535 shares', () => {
    const secret = rng.bytes(32);
    const dealt = split(secretOf(secret), { threshold: 3, shares: 65_535 }, rng);
    const some = [dealt[65_534], dealt[0], dealt[40_000]].map((share) => share as Share);
    assert.equal(hexOf(combine(some, 3)), toHex(secret));
    for (const shares of [0, 65_536, 1.5, NaN])
      assert.throws(() => split(secretOf(secret), { threshold: 1, shares }, rng), { code: 'bad-parameters' });
    for (const threshold of [0, 4, 1.5])
      assert.throws(() => split(secretOf(secret), { threshold, shares: 3 }, rng), { code: 'bad-parameters' });
    assert.throws(() => split(new Secret(new Uint8Array(31)), { threshold: 1, shares: 1 }, rng), { code: 'bad-size' });
  });

  it('is as likely as any other one share short of the threshold', () => {
    // With the coefficients of one element run through many values, each share of a fixed secret takes as many: none is likelier.
    const seen = new Set<number>();
    for (let coefficient = 0; coefficient <= 0xffff; coefficient += 13) {
      const bytes = new Uint8Array(32);
      bytes.set([coefficient & 255, coefficient >> 8]);
      let calls = 0;
      const chosen = { bytes: (length: number) => (calls++ === 0 ? bytes.slice() : new Uint8Array(length)) };
      const [, second] = split(new Secret(new Uint8Array(32).fill(7)), { threshold: 2, shares: 2 }, chosen);
      const value = (second as Share).value.expose();
      seen.add((value[0] ?? 0) | ((value[1] ?? 0) << 8));
    }
    assert.equal(seen.size, 5_042);
  });

  it('is refused from shares that do not belong together', () => {
    const dealt = split(secretOf(rng.bytes(32)), { threshold: 3, shares: 5 }, rng);
    const [a, b, c, d] = dealt as readonly [Share, Share, Share, Share];
    const forged: Share = { ...d, value: secretOf(rng.bytes(32)) };
    assert.throws(() => combine([a, b], 3), { code: 'bad-share' });
    assert.throws(() => combine([a, b, b], 3), { code: 'bad-share' });
    assert.throws(() => combine([a, b, c, forged], 3), { code: 'bad-share' });
    for (const index of [0, 65_536, 1.5])
      assert.throws(() => combine([a, b, { ...c, index }], 3), { code: 'bad-share' });
    a.value[Symbol.dispose]();
    assert.throws(() => combine([a, b, c], 3), { code: 'wiped' });
  });
});

describe('a share', () => {
  const [share, other] = split(secretOf(rng.bytes(32)), { threshold: 2, shares: 2 }, rng) as readonly [Share, Share];

  it('opens its own commitment and no other does', () => {
    const commitment = commitmentOf(share);
    assert.ok(opensCommitment(share, commitment));
    assert.ok(!opensCommitment(other, commitment));
    assert.ok(!opensCommitment({ ...share, index: 2 }, commitment));
    assert.ok(!opensCommitment({ ...share, salt: other.salt }, commitment));
    assert.ok(!opensCommitment({ ...share, value: other.value }, commitment));
  });

  it('stays when the bytes it came from are wiped', () => {
    const bytes = Buffer.from(encodeShare(share));
    const decoded = decodeShare(bytes);
    bytes.fill(0);
    assert.ok(opensCommitment(decoded, commitmentOf(share)));
  });

  it('travels as 66 bytes', () => {
    const decoded = decodeShare(encodeShare(share));
    assert.deepEqual(
      [decoded.index, hexOf(decoded.value), toHex(decoded.salt)],
      [share.index, hexOf(share.value), toHex(share.salt)],
    );
    for (const length of [0, 65, 67]) assert.throws(() => decodeShare(new Uint8Array(length)), { code: 'bad-size' });
    assert.throws(() => decodeShare(new Uint8Array(66)), { code: 'bad-share' });
  });

  it('of any bytes is refused or is what those bytes say', () => {
    for (let time = 0; time < 100_000; time += 1) {
      const bytes = rng.bytes(time % 4 === 0 ? (time / 4) % 140 : 66);
      if (time % 7 === 0) bytes.subarray(0, 2).fill(0);
      let decoded: Share | undefined;
      try {
        decoded = decodeShare(bytes);
      } catch (error) {
        assert.ok(['bad-size', 'bad-share'].includes((error as { code: string }).code));
      }
      assert.equal(decoded !== undefined, bytes.length === 66 && (bytes[0] !== 0 || bytes[1] !== 0));
      if (decoded !== undefined) assert.equal(toHex(encodeShare(decoded)), toHex(bytes));
    }
  });
});
