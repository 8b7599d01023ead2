import assert from 'node:assert/strict';
import { it } from 'node:test';
import { epochMs } from '@ringfence/base';
import { mayServe } from './view-age.ts';

it('a view serves for 24 hours, restricted data for one, and not from the future', () => {
  const view = { at: epochMs(1_800_000_000_000) };
  const HOUR = 3_600_000;
  const after = (ms: number, sensitivity: 'internal' | 'restricted') => mayServe(view, { sensitivity }, view.at + ms);
  assert.deepEqual([after(24 * HOUR, 'internal'), after(24 * HOUR + 1, 'internal')], [true, false]);
  assert.deepEqual([after(HOUR, 'restricted'), after(HOUR + 1, 'restricted')], [true, false]);
  assert.deepEqual([after(-600_000, 'internal'), after(-HOUR, 'internal')], [true, false]);
});
