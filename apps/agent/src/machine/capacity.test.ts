import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GpuCards } from '../gpu/gpu-cards.ts';
import { Places } from './capacity.ts';

test('a job that signed no disk takes the least of a job file', async () => {
  const places = new Places({ cpuMilli: 1_000, memoryBytes: 1e9, diskBytes: 2_999_999 }, 4, GpuCards.none());
  const none = { cpuMilli: 100, memoryBytes: 1e6, diskBytes: 0, hardLimits: false };
  const [first, second] = [await places.take(none), await places.take(none)];
  assert.ok(typeof first !== 'string' && typeof second !== 'string');
  assert.equal(await places.take(none), 'full');
  first.release();
  assert.ok(typeof (await places.take(none)) !== 'string');
});
