import { isId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';

/** Whether a device is in the keyring and an owner of the whole organisation. */
export function isOwner(keyring: Keyring, device: string): boolean {
  if (!isId('device', device) || keyring.device(device) === undefined) return false;
  return keyring.rolesOf(device).some(({ role, project }) => role === 'owner' && project === undefined);
}
