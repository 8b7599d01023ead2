import { newId, systemRng as rng, type EpochMs } from '@ringfence/base';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { foldKeyring, genesisStatement, nextStatement, signStatement } from '@ringfence/keyring';
import type { KeyringChange } from '@ringfence/protocol/statements';

const AT = 1_800_000_000_000 as EpochMs;
/** The organisation of these devices. */
export const org = newId('org', rng);
const project = newId('project', rng);
const root = SigningKey.generate(rng);

/** Devices by what they are in the organisation. */
export const DEVICES = {
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

/** The keyring that names {@link DEVICES}, of their organisation or another one. */
export function keyringOf(org_: typeof org = org) {
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
