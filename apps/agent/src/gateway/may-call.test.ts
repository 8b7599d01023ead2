import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { DEVICES, keyringOf } from '../api/devices-with-roles.fixture.ts';
import { mayCall } from './may-call.ts';

const keyring = keyringOf();
const callers = (suspended: readonly string[] = []): string[] =>
  Object.entries(DEVICES)
    .filter(([, device]) => mayCall(keyring, device, new Set(suspended)))
    .map(([name]) => name);

test('owners and ML engineers of the whole organisation call endpoints, while no lock suspends the role', () => {
  assert.deepEqual(callers(), ['owner', 'engineer']);
  assert.deepEqual(callers(['ml-engineer']), ['owner']);
  assert.deepEqual(callers(['owner', 'ml-engineer']), []);
});

test('no device that the keyring does not know calls endpoints, and nothing that is no device', () => {
  for (const id of [newId('device', rng), newId('agent', rng), 'constructor', ''])
    assert.equal(mayCall(keyring, id, new Set()), false, id);
});
