import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, seededRng } from '@ringfence/base';
import { isReleasedTo } from './is-released-to.ts';

const rng = seededRng('released to');
const [named, other] = [newId('device', rng), newId('device', rng)];
const until = epochMs(1_000);
const to = (release: Parameters<typeof isReleasedTo>[0]['release'], now = 999) =>
  [named, other, undefined].map((device) =>
    isReleasedTo({ sensitivity: 'confidential', ...(release === undefined ? {} : { release }) }, device, now),
  );

test('answers on confidential data go to whom the custodian named, until then, and to nobody where it said nothing', () => {
  assert.deepEqual(to(undefined), [false, false, false]);
  assert.deepEqual(to({ members: null, devices: [], tokens: null }), [false, false, false]);
  assert.deepEqual(to({ members: until, devices: [], tokens: null }), [true, true, false]);
  assert.deepEqual(to({ members: null, devices: [{ device: named, until }], tokens: null }), [true, false, false]);
  assert.deepEqual(to({ members: null, devices: [], tokens: until }), [false, false, true]);
  assert.deepEqual(to({ members: until, devices: [{ device: named, until }], tokens: until }, 1_000), [
    false,
    false,
    false,
  ]);
  for (const sensitivity of ['public', 'internal'] as const)
    assert.equal(isReleasedTo({ sensitivity }, undefined, 0), true);
});
