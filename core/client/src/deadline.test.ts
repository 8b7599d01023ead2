import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { withDeadline } from './deadline.ts';

const never = (): Promise<never> => new Promise(() => {});

test('what settles in time is the result, and nothing is left behind', async () => {
  const clock = new ManualClock();
  const signal = new AbortController().signal;
  assert.equal(await withDeadline({ clock, within: 10, signal }, () => Promise.resolve(7)), 7);
  await assert.rejects(
    withDeadline({ clock, within: 10 }, () => Promise.reject(new RangeError('own'))),
    RangeError,
  );
  assert.equal(clock.waiting, 0);
});

test('what takes longer is given up at its time, and told so', async () => {
  const clock = new ManualClock();
  let told: unknown;
  const attempt = withDeadline({ clock, within: 10 }, (signal) => {
    signal.addEventListener('abort', () => (told = signal.reason));
    return never();
  });
  clock.advance(10);
  await assert.rejects(attempt, { name: 'ClientError', code: 'timed-out' });
  assert.equal((told as { code: string }).code, 'timed-out');
});

test('the caller can end it before and while it runs', async () => {
  const clock = new ManualClock();
  const controller = new AbortController();
  const attempt = withDeadline({ clock, within: 10, signal: controller.signal }, never);
  controller.abort();
  await assert.rejects(attempt, { code: 'aborted' });
  await assert.rejects(withDeadline({ clock, within: 10, signal: controller.signal }, never), { code: 'aborted' });
  assert.equal(clock.waiting, 0);
});
