import { isId, type DeviceId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';

/** Roles of the whole organisation whose devices call endpoints without a token. */
export const CALLERS: readonly string[] = ['owner', 'ml-engineer'];

/** Whether a peer is a device of the organisation with one of {@link CALLERS}, which no lock suspends. */
export function mayCall(keyring: Keyring, device: string, suspended: ReadonlySet<string>): device is DeviceId {
  if (!isId('device', device) || keyring.device(device) === undefined) return false;
  return keyring
    .rolesOf(device)
    .some(({ role, project }) => project === undefined && CALLERS.includes(role) && !suspended.has(role));
}
