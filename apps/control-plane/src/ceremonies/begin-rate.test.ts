import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { BeginRate } from './begin-rate.ts';

test('a network begins 60 ceremonies at once and then one a second, and costs no other network anything', () => {
  const clock = new ManualClock();
  const rate = new BeginRate(clock);
  const taken = (address: string, tries: number): number => {
    let count = 0;
    for (let at = 0; at < tries; at += 1) {
      try {
        rate.take(address);
        count += 1;
      } catch (error) {
        assert.equal((error as { code: string }).code, 'too-much');
      }
    }
    return count;
  };
  assert.equal(taken('203.0.113.7', 500), 60);
  assert.equal(taken('::ffff:203.0.113.7', 10), 0, 'the same address, mapped');
  assert.equal(taken('203.0.113.8', 10), 10);
  clock.advance(10_000);
  assert.equal(taken('203.0.113.7', 500), 10);
  assert.equal(taken('2001:db8::1', 40) + taken('2001:db8::2', 40), 60, 'one /64');
  clock.advance(3_600_000);
  assert.equal(taken('203.0.113.7', 500), 60);
});
