import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, seededRng, type OrgId, type ProjectId } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { DataKey } from '../object-format/data-key.ts';
import { HEADER_BYTES } from '../object-format/header.ts';
import type { ObjectIdentity } from '../object-format/object-identity.ts';
import { SEGMENT_CIPHER, segmentKey, segmentNonce, TAG_BYTES } from '../object-format/segment-key.ts';
import { sealObjectBytes } from '../seal/seal-object.ts';
import { openObject, openObjectBytes, type OpenedObject } from './open-object.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const rng = seededRng('open-object');
const dataKey = DataKey.generate(rng);
const identity: ObjectIdentity = {
  org: 'org_abcdefghijklmnopqrstuvwxyz' as OrgId,
  project: 'prj_abcdefghijklmnopqrstuvwxyz' as ProjectId,
  object: 'art_abcdefghijklmnopqrstuvwxyz',
  version: 1,
};
const options = { dataKey, identity };
const SEGMENT = 4096;
const SEALED_SEGMENT = SEGMENT + TAG_BYTES;
const seal = (plaintext: Uint8Array): Uint8Array =>
  sealObjectBytes({ ...options, rng, segmentLog2: 12 }, plaintext).bytes;
const refused = (sealed: Uint8Array, what?: string): void =>
  assert.throws(() => openObjectBytes(options, sealed), { code: 'cannot-open' }, what);

test('opens what was sealed, whole or streamed, however it is cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(20_000), fc.array(fc.nat(5000), { maxLength: 12 }), async (length, cuts) => {
      const plaintext = rng.bytes(length);
      const made = sealObjectBytes({ ...options, rng, segmentLog2: 12 }, plaintext);
      assert.equal(Buffer.compare(openObjectBytes(options, made.bytes), plaintext), 0);
      const { bytes, result } = await collect(openObject(options, cut(made.bytes, cuts)));
      assert.equal(Buffer.compare(bytes, plaintext), 0);
      assert.deepEqual(result, { digest: made.digest, size: made.size, plaintextSize: length });
    }),
    { numRuns: 100 },
  );
});

test('lengths around the segment size', () => {
  for (const length of [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT - 1, 2 * SEGMENT, 2 * SEGMENT + 1]) {
    const plaintext = rng.bytes(length);
    assert.equal(Buffer.compare(openObjectBytes(options, seal(plaintext)), plaintext), 0, String(length));
  }
});

test('every bit of header, ciphertext and tags counts', () => {
  const sealed = seal(rng.bytes(SEGMENT + 40));
  const places = [
    ...Array.from({ length: HEADER_BYTES + 20 }, (_, at) => at),
    ...Array.from({ length: TAG_BYTES + 60 }, (_, at) => HEADER_BYTES + SEGMENT - 2 + at),
  ];
  for (const at of places)
    for (let bit = 0; bit < 8; bit += 1) {
      const broken = Uint8Array.from(sealed);
      broken[at] = (broken[at] ?? 0) ^ (1 << bit);
      if (at < sealed.length) refused(broken, `byte ${at}, bit ${bit}`);
    }
});

test('no prefix of an object opens', () => {
  for (const length of [0, 50, SEGMENT, SEGMENT + 1, 2 * SEGMENT]) {
    const sealed = seal(rng.bytes(length));
    const near = [0, 1, 39, 40, 41, 55, 56, 57].concat(
      [SEALED_SEGMENT, 2 * SEALED_SEGMENT].flatMap((end) =>
        [-17, -16, -1, 0, 1, 15, 16, 17].map((by) => HEADER_BYTES + end + by),
      ),
    );
    for (const end of near) if (end < sealed.length) refused(sealed.subarray(0, end), `${length} cut at ${end}`);
  }
});

test('segments cannot be moved, repeated, dropped, added or taken from another object', () => {
  const sealed = seal(rng.bytes(3 * SEGMENT));
  const head = sealed.subarray(0, HEADER_BYTES);
  const segment = (index: number): Uint8Array =>
    sealed.subarray(HEADER_BYTES + index * SEALED_SEGMENT, HEADER_BYTES + (index + 1) * SEALED_SEGMENT);
  const [one, two, three] = [segment(0), segment(1), segment(2)];
  const other = seal(rng.bytes(3 * SEGMENT)).subarray(HEADER_BYTES, HEADER_BYTES + SEALED_SEGMENT);
  const orders = [
    [two, one, three],
    [one, one, three],
    [one, three],
    [two, three],
    [one, two],
    [one, two, three, three],
  ];
  for (const order of [...orders, [other, two, three], [one, two, three, new Uint8Array(1)]])
    refused(concatBytes(head, ...order));
  assert.equal(openObjectBytes(options, concatBytes(head, one, two, three)).length, 3 * SEGMENT);
});

test('what only a holder of the key could make wrongly is refused too', () => {
  const small = seal(rng.bytes(100));
  refused(Uint8Array.from(small).with(5, 13), 'another segment size in the header of a single segment');
  const header = seal(new Uint8Array(0)).subarray(0, HEADER_BYTES);
  const made = (...lengths: number[]): Uint8Array => craft(header, lengths);
  assert.equal(openObjectBytes(options, made(SEGMENT, 1)).length, SEGMENT + 1, 'the crafting itself is right');
  refused(made(SEGMENT, 0), 'an empty last segment after a full one');
  refused(made(SEGMENT - 1, 1), 'a short segment before the last');
  refused(made(SEGMENT + 1), 'a segment that is too long');
});

test('an object opens under its own identity and key alone', () => {
  const sealed = seal(rng.bytes(100));
  const others: Partial<ObjectIdentity>[] = [
    { org: 'org_bbcdefghijklmnopqrstuvwxyz' as OrgId },
    { project: 'prj_bbcdefghijklmnopqrstuvwxyz' as ProjectId },
    { object: 'art_bbcdefghijklmnopqrstuvwxyz' },
    { version: 2 },
  ];
  for (const other of others)
    assert.throws(() => openObjectBytes({ dataKey, identity: { ...identity, ...other } }, sealed), {
      code: 'cannot-open',
    });
  assert.throws(() => openObjectBytes({ identity, dataKey: DataKey.generate(rng) }, sealed), { code: 'cannot-open' });
});

test('a stream yields verified segments only, and says when the end is missing', async () => {
  const plaintext = rng.bytes(3 * SEGMENT);
  const sealed = seal(plaintext);
  const broken = Uint8Array.from(sealed);
  const at = HEADER_BYTES + SEALED_SEGMENT + 7;
  broken[at] = (broken[at] ?? 0) ^ 1;
  for (const [bytes, good] of [
    [broken, SEGMENT],
    [sealed.subarray(0, HEADER_BYTES + 2 * SEALED_SEGMENT), SEGMENT],
  ] as const) {
    const seen: Uint8Array[] = [];
    await assert.rejects(
      async () => {
        for await (const piece of openObject(options, cut(bytes, [100, 5000]))) seen.push(piece);
      },
      { code: 'cannot-open' },
    );
    assert.equal(Buffer.compare(Buffer.concat(seen), plaintext.subarray(0, good)), 0);
  }
});

test(`hostile bytes are refused with one code, in ${CASES} tries`, () => {
  const noise = seededRng('hostile objects');
  const small = seal(rng.bytes(30));
  const codes = new Map<unknown, number>();
  for (let run = 0; run < CASES; run += 1) {
    const [from = 0, keep = 0, length = 0] = noise.bytes(3);
    const hostile = concatBytes(small.subarray(0, keep % 60), noise.bytes(length % 80), small.subarray(from % 60));
    if (Buffer.compare(hostile, small) === 0) continue;
    let code: unknown = 'opened';
    try {
      openObjectBytes(options, hostile);
    } catch (error) {
      code = error instanceof CryptoError ? error.code : error;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  assert.deepEqual([...codes.keys()], ['cannot-open']);
});

/** An object of segments with these lengths, every tag and flag right. */
function craft(header: Uint8Array, lengths: readonly number[]): Uint8Array {
  const { key, aad } = segmentKey({ dataKey, identity, header, salt: header.subarray(8) });
  const segments = lengths.map((length, index) => {
    const nonce = segmentNonce(index, index === lengths.length - 1);
    const cipher = createCipheriv(SEGMENT_CIPHER, key, nonce).setAAD(aad);
    return concatBytes(cipher.update(rng.bytes(length)), cipher.final(), cipher.getAuthTag());
  });
  return concatBytes(header, ...segments);
}

function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array, void, void> {
  let at = 0;
  for (const length of lengths) yield bytes.subarray(at, (at += length));
  yield bytes.subarray(at);
}

async function collect(
  stream: AsyncGenerator<Uint8Array, OpenedObject, void>,
): Promise<{ bytes: Uint8Array; result: OpenedObject }> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return { bytes: Buffer.concat(pieces), result: next.value };
    pieces.push(next.value);
  }
}
