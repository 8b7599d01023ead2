import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex, seededRng, toHex } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { HEADER_BYTES, readHeader, SEGMENT_LOG2, writeHeader } from './header.ts';

const salt = '202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f';
const good = fromHex(`52464f3101120000${salt}`);
const withByte = (at: number, value: number): Uint8Array => Uint8Array.from(good).with(at, value);

test('the layout of docs/object-format.md', () => {
  assert.equal(toHex(writeHeader({ segmentLog2: 18, salt: fromHex(salt) })), toHex(good));
  assert.deepEqual(readHeader(good), { segmentLog2: 18, salt: fromHex(salt) });
});

test('another magic, version, segment size, length, or anything reserved is refused', () => {
  for (const bad of [
    withByte(0, 0x53),
    withByte(3, 0x32),
    withByte(4, 0),
    withByte(4, 2),
    withByte(5, SEGMENT_LOG2.least - 1),
    withByte(5, SEGMENT_LOG2.most + 1),
    withByte(6, 1),
    withByte(7, 1),
    good.subarray(1),
    good.subarray(0, HEADER_BYTES - 1),
    Buffer.concat([good, Buffer.alloc(1)]),
    new Uint8Array(0),
  ])
    assert.throws(() => readHeader(bad), { code: 'cannot-open' });
  for (const size of [SEGMENT_LOG2.least, SEGMENT_LOG2.most])
    assert.equal(readHeader(withByte(5, size)).segmentLog2, size);
});

test('whatever is read is written back as it was, in 100,000 tries', () => {
  const rng = seededRng('hostile headers');
  let read = 0;
  for (let run = 0; run < 100_000; run += 1) {
    const bytes = Buffer.from(good);
    // One to three bytes of the fixed part change, often to a value that is legal elsewhere.
    const [count = 0, ...noise] = rng.bytes(7);
    for (let change = 0; change <= count % 3; change += 1)
      bytes[(noise[change] ?? 0) % 8] = (noise[change + 3] ?? 0) % (run % 2 === 0 ? 256 : 26);
    try {
      assert.equal(Buffer.compare(writeHeader(readHeader(bytes)), bytes), 0);
      read += 1;
    } catch (error) {
      assert.ok(error instanceof CryptoError && error.code === 'cannot-open');
    }
  }
  assert.ok(read > 1000 && read < 90_000, String(read));
});
