import { isId } from '@ringfence/base';
import type { Keyring } from '@ringfence/keyring';
import type { AttemptAbout } from '../attempt/attempt-folder.ts';

/**
 * Whether a device may see how an attempt went and what it printed. Logs inherit the label of the data (invariant 7): what a job on
 * restricted data prints is for the device that ordered it and for officers; below that owners, operators and auditors read along, while no lock suspends the role.
 */
export function mayRead(
  keyring: Keyring,
  device: string,
  about: Pick<AttemptAbout, 'org' | 'device' | 'sensitivity'>,
  suspended: ReadonlySet<string> = new Set(),
): boolean {
  if (!isId('device', device) || keyring.org !== about.org || keyring.device(device) === undefined) return false;
  if (device === about.device || keyring.isOfficer(device)) return true;
  if (about.sensitivity === 'restricted') return false;
  return keyring
    .rolesOf(device)
    .some(({ role, project }) => project === undefined && READERS.includes(role) && !suspended.has(role));
}

const READERS: readonly string[] = ['owner', 'operator', 'auditor'];
