import assert from 'node:assert/strict';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { readWithin } from './read-within.ts';

const requestOf = (): IncomingMessage => new IncomingMessage(new Socket());

test('what is read in time is returned, and the request goes on', async () => {
  const clock = new ManualClock();
  const request = requestOf();
  assert.equal(await readWithin(request, clock, Promise.resolve('head')), 'head');
  clock.advance(60_000);
  assert.equal(request.destroyed, false);
});

test('who sends a piece now and then and never all is cut off after ten seconds', async () => {
  const clock = new ManualClock();
  const request = requestOf();
  const closed = new Promise<void>((resolve) => request.once('close', resolve));
  const reading = readWithin(request, clock, closed);
  for (let second = 0; second < 10; second += 1) {
    request.push('x');
    assert.equal(request.destroyed, false, `second ${second}`);
    clock.advance(1_000);
  }
  assert.equal(request.destroyed, true);
  await reading;
});
