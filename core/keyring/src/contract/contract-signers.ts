import type { DeviceId } from '@ringfence/base';
import { keyIdOf } from '@ringfence/crypto/sign';
import type { Keyring } from '../chain/keyring.ts';
import { KeyringError } from '../keyring-error.ts';
import { verifyStatement, type Unverified } from '../statement.ts';

/** Roles, bound in the whole organisation, that sign contracts for it. */
const SIGNING_ROLES: ReadonlySet<string> = new Set(['owner', 'officer']);
/** Who stands in for an owner of data whose device has left, the first that somebody has. */
const STAND_INS = ['data-owner', 'owner'] as const;

/** Whether a device may bind its organisation to a contract, or withdraw from one. */
export function maySignContracts(keyring: Keyring, device: DeviceId): boolean {
  return keyring.isOfficer(device) || hasRole(keyring, device, SIGNING_ROLES);
}

/** The devices whose word counts for data that `owner` owns. */
export function ownersOfData(keyring: Keyring, owner: DeviceId): readonly DeviceId[] {
  if (keyring.device(owner) !== undefined) return [owner];
  for (const role of STAND_INS) {
    const holders = keyring.devices().filter(({ id }) => hasRole(keyring, id, new Set([role])));
    if (holders.length > 0) return holders.map(({ id }) => id);
  }
  return [];
}

/** The devices of `keyring` that signed, in its order. */
export function signersOf(contract: Unverified<'contract'>, keyring: Keyring): readonly DeviceId[] {
  const hints = new Set(contract.envelope.signatures.map(({ keyid }) => keyid));
  return keyring.devices().flatMap(({ id, sign }) => {
    if (!hints.has(keyIdOf(sign))) return [];
    try {
      verifyStatement(contract, [sign]);
      return [id];
    } catch (error) {
      if (error instanceof KeyringError) return [];
      throw error;
    }
  });
}

function hasRole(keyring: Keyring, device: DeviceId, roles: ReadonlySet<string>): boolean {
  return keyring.rolesOf(device).some(({ role, project }) => project === undefined && roles.has(role));
}
