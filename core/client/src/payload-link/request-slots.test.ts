import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestSlots } from './request-slots.ts';

test('who finds no place waits in line, and a place given back twice counts once', async () => {
  const slots = new RequestSlots(1);
  const order: string[] = [];
  const first = await slots.take();
  const second = slots.take().then((release) => (order.push('second'), release));
  const third = slots.take().then((release) => (order.push('third'), release));
  first();
  first();
  const release = await second;
  assert.deepEqual(order, ['second']);
  release();
  (await third)();
  assert.deepEqual(order, ['second', 'third']);
  (await slots.take())();
});

test('who gives up leaves the line', async () => {
  const slots = new RequestSlots(1);
  const release = await slots.take();
  const controller = new AbortController();
  const gone = slots.take(controller.signal);
  const stays = slots.take();
  controller.abort();
  await assert.rejects(gone, { name: 'ClientError', code: 'aborted' });
  await assert.rejects(slots.take(AbortSignal.abort()), { code: 'aborted' });
  release();
  (await stays)();
  (await slots.take(new AbortController().signal))();
});
