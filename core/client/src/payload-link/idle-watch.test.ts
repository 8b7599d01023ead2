import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { watchIdle } from './idle-watch.ts';

test('progress in either direction keeps it quiet; silence is told once', () => {
  const clock = new ManualClock();
  const socket = { bytesRead: 0, bytesWritten: 0 };
  let idle = 0;
  const watch = watchIdle(clock, 100, () => (idle += 1));
  watch.on(socket);
  for (let round = 0; round < 10; round += 1) {
    if (round % 2 === 0) socket.bytesRead += 1;
    else socket.bytesWritten += 1;
    clock.advance(100);
  }
  assert.equal(idle, 0);
  clock.advance(100);
  assert.equal(idle, 1);
  clock.advance(1_000);
  assert.deepEqual([idle, clock.waiting], [1, 0]);
});

test('waiting for a socket counts, and a watch that is stopped says nothing', () => {
  const clock = new ManualClock();
  let idle = 0;
  watchIdle(clock, 100, () => (idle += 1));
  clock.advance(200);
  assert.equal(idle, 1);
  watchIdle(clock, 100, () => (idle += 1)).stop();
  clock.advance(1_000);
  assert.equal(idle, 1);
});
