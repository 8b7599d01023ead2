import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs, seededRng } from '@ringfence/base';
import { firstReconnectDelay, nextReconnectDelay } from './reconnect-delay.ts';

test('the first wait is spread evenly over 0.25 to 15 s', () => {
  const rng = seededRng('first-delay');
  const delays = Array.from({ length: 6_000 }, () => firstReconnectDelay(rng));
  assert.ok(Math.min(...delays) >= 250 && Math.max(...delays) < 15_000);
  const sixths = [0, 0, 0, 0, 0, 0];
  for (const delay of delays) sixths[Math.floor(((delay - 250) / 14_750) * 6)]! += 1;
  // Six standard deviations of a binomial with n = 6000, p = 1/6.
  for (const count of sixths) assert.ok(Math.abs(count - 1_000) < 6 * 29, String(sixths));
});

test('a shorter spread is kept, and later waits double up to a minute', () => {
  const rng = seededRng('short');
  for (const within of [1, 250, 500, 1_000])
    for (let draw = 0; draw < 100; draw += 1) {
      const delay = firstReconnectDelay(rng, within);
      assert.ok(delay >= 250 && delay <= Math.max(250, within));
    }
  assert.equal(nextReconnectDelay(durationMs(250)), 500);
  assert.equal(nextReconnectDelay(durationMs(40_000)), 60_000);
  assert.equal(nextReconnectDelay(durationMs(60_000)), 60_000);
});
