import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { newId, systemRng as rng, type DeviceId, type EpochMs } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { foldKeyring, genesisStatement, nextStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';
import { mayRead } from './may-read.ts';

const AT = 1_800_000_000_000 as EpochMs;
const [org, project] = [newId('org', rng), newId('project', rng)];
const root = SigningKey.generate(rng);

const DEVICES = {
  orderer: newId('device', rng),
  officer: newId('device', rng),
  owner: newId('device', rng),
  operator: newId('device', rng),
  auditor: newId('device', rng),
  engineer: newId('device', rng),
  nobody: newId('device', rng),
  ownerOfProject: newId('device', rng),
  removed: newId('device', rng),
};

function keyringOf(org_: typeof org = org) {
  const recovery = { threshold: 1, keys: [SigningKey.generate(rng).publicKey] };
  const genesis = genesisStatement(org_, { kind: 'genesis', root: root.publicKey, recovery }, AT);
  const statements = [signStatement('keyring', genesis, [root])];
  const add = (change: KeyringChange): void => {
    statements.push(signStatement('keyring', nextStatement(foldKeyring(statements), change, AT), [root]));
  };
  for (const device of Object.values(DEVICES))
    add({
      kind: 'add-device',
      device,
      sign: SigningKey.generate(rng).publicKey,
      tls: TlsKey.generate(rng).publicKey,
    });
  add({ kind: 'add-officer', device: DEVICES.officer });
  add({ kind: 'bind-role', device: DEVICES.owner, role: 'owner' });
  add({ kind: 'bind-role', device: DEVICES.operator, role: 'operator' });
  add({ kind: 'bind-role', device: DEVICES.auditor, role: 'auditor' });
  add({ kind: 'bind-role', device: DEVICES.engineer, role: 'ml-engineer' });
  add({ kind: 'bind-role', device: DEVICES.ownerOfProject, role: 'owner', project });
  add({ kind: 'remove', subject: DEVICES.removed, reason: 'left' });
  return foldKeyring(statements);
}

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
