import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { PING_EVERY, watchLiveness } from './liveness.ts';

class Pinged extends EventEmitter {
  pings = 0;
  terminated = 0;
  ping(): void {
    this.pings += 1;
  }
  terminate(): void {
    this.terminated += 1;
    this.emit('close');
  }
}

test('a socket whose other end answers stays', () => {
  const [clock, socket] = [new ManualClock(), new Pinged()];
  watchLiveness(socket, clock);
  for (const sign of ['pong', 'message', 'ping'] as const) {
    clock.advance(PING_EVERY);
    socket.emit(sign);
  }
  assert.deepEqual([socket.pings, socket.terminated], [3, 0]);
});

test('a silent one is terminated within two periods, once', () => {
  const [clock, socket] = [new ManualClock(), new Pinged()];
  watchLiveness(socket, clock);
  clock.advance(2 * PING_EVERY - 1);
  assert.deepEqual([socket.pings, socket.terminated], [1, 0]);
  clock.advance(1);
  assert.equal(socket.terminated, 1);
  clock.advance(10 * PING_EVERY);
  assert.deepEqual([socket.pings, socket.terminated, clock.waiting], [1, 1, 0]);
});

test('nothing is left of a socket that closed', () => {
  const [clock, socket] = [new ManualClock(), new Pinged()];
  watchLiveness(socket, clock);
  socket.emit('close');
  assert.equal(clock.waiting, 0);
});
