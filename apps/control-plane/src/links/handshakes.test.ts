import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, newId, systemRng } from '@ringfence/base';
import { Handshakes } from './handshakes.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('a party has one handshake; who would come too late is sent away, and those who dial then are told when to come', async () => {
  const clock = new ManualClock();
  const handshakes = new Handshakes(clock);
  const shaking = () => {
    const { promise: over, resolve: cut } = Promise.withResolvers<void>();
    return { over, cut };
  };
  const one = newId('agent', systemRng);
  const first = shaking();
  assert.equal(await handshakes.turn(one, first), true);
  const running = Array.from({ length: 47 }, () => handshakes.turn(newId('agent', systemRng), shaking()));
  assert.deepEqual(new Set(await Promise.all(running)), new Set([true]));
  let waits = true;
  const late = handshakes.turn(newId('agent', systemRng), shaking()).then((came) => ((waits = false), came));
  await settled();
  assert.equal(waits, true, '48 are under way');
  void handshakes.turn(one, shaking());
  assert.equal(await late, true, 'the older handshake of the party is cut, and its turn goes to who waited');
  const many = Array.from({ length: 600 }, () => handshakes.turn(newId('agent', systemRng), shaking()));
  const sentAway = Promise.race(many.map(async (turn) => ((await turn) ? new Promise<boolean>(() => {}) : false)));
  assert.equal(await sentAway, false);
  assert.equal(typeof handshakes.retryAfterS, 'number');
  clock.advance(60_000);
  assert.equal(handshakes.retryAfterS, undefined);
});
