import assert from 'node:assert/strict';
import { test } from 'node:test';
import { needsLineEnd } from './endpoint-call.ts';

test('an answer without an end of its last line gets one on a terminal, and nowhere else', () => {
  const [brace, lineFeed] = [0x7d, 0x0a];
  assert.equal(needsLineEnd(brace, true, false), true);
  for (const [last, terminal, raw] of [
    [lineFeed, true, false],
    [undefined, true, false],
    [brace, false, false],
    [brace, true, true],
  ] as const)
    assert.equal(needsLineEnd(last, terminal, raw), false);
});
