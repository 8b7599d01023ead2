import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromHex, seededRng, toHex, type OrgId, type ProjectId, type Rng } from '@ringfence/base';
import { DataKey } from '../object-format/data-key.ts';
import { HEADER_BYTES } from '../object-format/header.ts';
import { segmentNonce } from '../object-format/segment-key.ts';
import vectors from '../object-format/vectors/object-format.json' with { type: 'json' };
import { sealObject, sealObjectBytes, type SealedObject, type SealObjectOptions } from './seal-object.ts';

const exactly = (hex: string): Rng => ({ bytes: () => fromHex(hex) });
const identity = {
  ...vectors.identity,
  org: vectors.identity.org as OrgId,
  project: vectors.identity.project as ProjectId,
};
const vectorOptions = (segmentLog2: number): SealObjectOptions => ({
  dataKey: DataKey.fromBytes(fromHex(vectors.dataKey)),
  identity,
  rng: exactly(vectors.salt),
  segmentLog2,
});
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => (7 * at + 13) % 256);

test('the vectors of another implementation', () => {
  for (const vector of vectors.objects) {
    const sealed = sealObjectBytes(vectorOptions(vector.segmentLog2), pattern(vector.plaintextSize));
    assert.equal(sealed.digest, vector.digest);
    assert.equal(sealed.size, vector.size);
    assert.equal(sealed.plaintextSize, vector.plaintextSize);
    if (vector.sealed !== undefined) assert.equal(toHex(sealed.bytes), vector.sealed);
  }
});

test('a stream gives the same bytes however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(20_000),
      fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 12 }),
      async (length, cuts) => {
        const plaintext = pattern(length);
        const whole = sealObjectBytes(vectorOptions(12), plaintext);
        const { bytes, result } = await collect(sealObject(vectorOptions(12), cut(plaintext, cuts)));
        assert.equal(Buffer.compare(bytes, whole.bytes), 0);
        assert.deepEqual(result, { digest: whole.digest, size: whole.size, plaintextSize: length });
        assert.equal(result.digest, createHash('sha256').update(bytes).digest('hex'));
      },
    ),
    { numRuns: 150 },
  );
});

test('every object has its own salt, so a data key that seals twice repeats no nonce', () => {
  const options = { ...vectorOptions(18), rng: seededRng('salt') };
  const [one, two] = [sealObjectBytes(options, pattern(64)), sealObjectBytes(options, pattern(64))];
  assert.notDeepEqual(one.bytes.subarray(0, HEADER_BYTES), two.bytes.subarray(0, HEADER_BYTES));
  assert.notDeepEqual(
    one.bytes.subarray(HEADER_BYTES, HEADER_BYTES + 64),
    two.bytes.subarray(HEADER_BYTES, HEADER_BYTES + 64),
  );
});

test('nonces count segments, mark the last, and end at 2^32', () => {
  assert.equal(toHex(segmentNonce(0x01020304, false)), '000000000000000102030400');
  assert.equal(toHex(segmentNonce(2 ** 32 - 1, true)), '00000000000000ffffffff01');
  assert.throws(() => segmentNonce(2 ** 32, true), { code: 'limit-reached' });
});

test('an error of the input reaches the caller', async () => {
  async function* failing(): AsyncGenerator<Uint8Array, void, void> {
    yield pattern(10);
    throw new Error('disk gone');
  }
  await assert.rejects(collect(sealObject(vectorOptions(12), failing())), /disk gone/);
});

function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array, void, void> {
  let at = 0;
  for (const length of lengths) yield bytes.subarray(at, (at += length));
  yield bytes.subarray(at);
}

async function collect(
  stream: AsyncGenerator<Uint8Array, SealedObject, void>,
): Promise<{ bytes: Uint8Array; result: SealedObject }> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return { bytes: Buffer.concat(pieces), result: next.value };
    pieces.push(next.value);
  }
}
