import type { Keyring } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';
import type { NamedRole } from './named-role.ts';

/**
 * Throws CliError `usage` where taking back the role `officer` would leave a device that signs as an officer still: `add-officer` gave it that, and
 * the keyring takes it only with the device.
 */
export function refuseOfficerWithSignature(keyring: Keyring, { device, role }: NamedRole): void {
  if (role !== 'officer' || !keyring.isOfficer(device)) return;
  throw new CliError(
    'usage',
    'this device is an officer by `add-officer`: it would sign as one without the role, too',
    {
      next: 'what ends that is `ringfence device remove DEVICE`; the person goes on with a new device',
    },
  );
}
