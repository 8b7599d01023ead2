import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roundedDown, roundedUp } from './rounded.ts';

test('what is told as spent is never below it, and what is left never above', () => {
  assert.deepEqual([roundedUp(1.00001, 4), roundedUp(1.25, 4), roundedUp(0, 4)], ['1.0001', '1.2500', '0.0000']);
  assert.deepEqual([roundedDown(1.00009, 4), roundedDown(1.25, 4), roundedDown(0, 4)], ['1.0000', '1.2500', '0.0000']);
  for (let at = 0; at < 10_000; at += 1) {
    const value = (at * Math.SQRT2) % 20;
    const [up, down] = [Number(roundedUp(value, 3)), Number(roundedDown(value, 3))];
    assert.ok(down <= value && value <= up && up - down < 0.0011, `${value}`);
  }
});
