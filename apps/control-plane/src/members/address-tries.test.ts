import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { AddressTries } from './address-tries.ts';

test('an address waits after twenty wrong tries, twice as long each time, for a quarter of an hour at most', () => {
  const clock = new ManualClock();
  const tries = new AddressTries(clock);
  const mustWait = (address: string): boolean => {
    try {
      tries.assertMayTry(address);
      return false;
    } catch {
      return true;
    }
  };
  const here = '192.0.2.7';
  for (let wrong = 0; wrong < 20; wrong += 1) tries.wrong(here);
  assert.equal(mustWait(here), false);
  for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]) {
    tries.wrong(here);
    clock.advance(seconds * 1_000 - 1);
    assert.equal(mustWait(here), true, `${seconds} s`);
    assert.equal(mustWait('192.0.2.8'), false, 'nobody else waits');
    clock.advance(1);
    assert.equal(mustWait(here), false);
  }
  clock.advance(3_600_001);
  tries.wrong(here);
  assert.equal(mustWait(here), false, 'it was forgotten');
});

test('who tries from many addresses of one network waits all the same', () => {
  const tries = new AddressTries(new ManualClock());
  for (let wrong = 0; wrong < 30; wrong += 1) tries.wrong(`2001:db8:1:2::${wrong}`);
  assert.throws(() => tries.assertMayTry('2001:0db8:0001:0002:ffff:0:0:9'), { code: 'too-much' });
  tries.assertMayTry('2001:db8:1:3::1');
});
