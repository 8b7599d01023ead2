// Values of a second implementation, a Python program written from docs/protocol/update-encoding.md alone.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { concatBytes, fromHex, Secret, seededRng, toHex, type Rng } from '@ringfence/base';
import { rotate, SIGN_BYTES } from './distributed-noise/rotation.ts';
import { rotationSeed } from './distributed-noise/index.ts';
import { withKernels } from './kernels/compiled.ts';
import { addMask, maskSeed, packRing, ringWidth, unpackRing } from './ring/index.ts';
import { combine, commitmentOf, decodeShare, split, type Share } from './sharing/index.ts';
import vectors from './vectors/update-encoding.json' with { type: 'json' };

it('a mask', () => {
  const words = new Uint32Array(vectors.mask.words.length);
  addMask(words, { seed: maskSeed(new Secret(fromHex(vectors.mask.seed))), sign: 1 }, ringWidth(32));
  assert.deepEqual([...words], vectors.mask.words);
});

it('packed values', () => {
  for (const { width, values, bytes } of vectors.packing) {
    const packed = packRing(Uint32Array.from(values), ringWidth(width));
    assert.equal(toHex(packed), bytes);
    assert.deepEqual(
      [...unpackRing(packed, ringWidth(width), values.length)],
      values.map((value) => value % 2 ** width),
    );
  }
});

it('rotations, and their seeds', () => {
  for (const { contract, round, seed, values, rotated } of vectors.rotation) {
    assert.equal(toHex(rotationSeed(fromHex(contract), round)), seed);
    const dimension = values.length;
    const got = withKernels([8 * dimension, SIGN_BYTES], (kernels) => {
      const [at = 0, signs = 0] = kernels.at;
      const held = new Float64Array(kernels.buffer, at, dimension);
      held.set(values);
      rotate(kernels, { values: at, dimension, signs }, fromHex(seed));
      return [...held];
    });
    for (const [at, value] of rotated.entries())
      assert.ok(Math.abs((got[at] as number) - value) < 1e-12, `number ${at}`);
  }
});

it('shares, their encoding and commitments', () => {
  const { secret, threshold, coefficients, shares } = vectors.sharing;
  const polynomial = concatBytes(...coefficients.map(fromHex));
  // The first bytes that are asked for are the polynomial's, later ones are salts.
  const chosen: Rng = {
    bytes: (length) => (length === polynomial.length ? Uint8Array.from(polynomial) : seededRng('salts').bytes(length)),
  };
  const dealt = split(new Secret(fromHex(secret)), { threshold, shares: 255 }, chosen);
  const decoded = shares.map(({ encoded }) => decodeShare(fromHex(encoded)));
  for (const [at, { commitment }] of shares.entries()) {
    const share = decoded[at] as Share;
    assert.equal(toHex(commitmentOf(share)), commitment);
    const own = dealt[share.index - 1];
    if (own !== undefined) assert.equal(toHex(own.value.expose()), toHex(share.value.expose()));
  }
  for (const some of [decoded.slice(0, 3), decoded.slice(2), decoded])
    assert.equal(toHex(combine(some, threshold).expose()), secret);
});
