import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId, systemRng as rng, type DeviceId } from '@ringfence/base';
import { DEVICES, keyringOf, org } from './devices-with-roles.fixture.ts';
import { mayRead } from './may-read.ts';

const about = (sensitivity: 'public' | 'internal' | 'confidential' | 'restricted', device: DeviceId) => ({
  org,
  device,
  sensitivity,
});

function readers(sensitivity: Parameters<typeof about>[0]): readonly string[] {
  const keyring = keyringOf();
  return Object.entries(DEVICES)
    .filter(([, device]) => mayRead(keyring, device, about(sensitivity, DEVICES.orderer)))
    .map(([name]) => name);
}

describe('logs and status of a job are for', () => {
  for (const sensitivity of ['public', 'internal', 'confidential'] as const)
    it(`who ordered it, officers, owners, operators and auditors on ${sensitivity} data`, () => {
      assert.deepEqual(readers(sensitivity), ['orderer', 'officer', 'owner', 'operator', 'auditor']);
    });

  it('who ordered it and officers alone on restricted data', () => {
    assert.deepEqual(readers('restricted'), ['orderer', 'officer']);
  });

  it('nobody who was removed, not even whoever ordered it', () => {
    assert.ok(!mayRead(keyringOf(), DEVICES.removed, about('public', DEVICES.removed)));
  });

  it('nobody of another organisation that this agent serves', () => {
    assert.ok(!mayRead(keyringOf(newId('org', rng)), DEVICES.officer, about('public', DEVICES.orderer)));
  });

  it('no device that the keyring does not know, and nothing that is no device', () => {
    const keyring = keyringOf();
    const unknown = newId('device', rng);
    assert.ok(!mayRead(keyring, unknown, about('public', unknown)));
    assert.ok(!mayRead(keyring, newId('agent', rng), about('public', DEVICES.orderer)));
    assert.ok(!mayRead(keyring, 'constructor', about('public', DEVICES.orderer)));
  });
});
