import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { decodeFrame, encodeFrame, FRAME_TAGS } from './frames.ts';
import { decodeSet, encodeSet } from './member-set.ts';

const CASES = 100_000;

test('no bytes make a frame that is not written back as those bytes, and all others are refused as malformed', () => {
  const rng = seededRng('frames');
  const tags = Object.values(FRAME_TAGS);
  let read = 0;
  for (let at = 0; at < CASES; at += 1) {
    const bytes = Buffer.from(rng.bytes(randomBelow(rng, 300)));
    // Half of them begin as a frame does.
    if (at % 2 === 0 && bytes.length > 0) bytes[0] = tags[at % tags.length] ?? 0;
    try {
      assert.ok(bytes.equals(encodeFrame(decodeFrame(bytes))));
      read += 1;
    } catch (error) {
      assert.ok(error instanceof FlError && error.code === 'malformed-frame', String(error));
    }
  }
  assert.ok(read > 1_000, String(read));
});

test('sets are read back as they were written, and in no other way', () => {
  const rng = seededRng('sets');
  for (let at = 0; at < CASES; at += 1) {
    const size = randomBelow(rng, 40);
    const bytes = Buffer.from(rng.bytes(Math.ceil(size / 8)));
    try {
      assert.ok(bytes.equals(encodeSet(decodeSet(bytes, size), size)));
    } catch (error) {
      assert.ok(error instanceof FlError && error.code === 'malformed-frame', String(error));
    }
  }
});
