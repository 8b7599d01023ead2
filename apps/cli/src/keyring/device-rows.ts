import { fingerprintWords } from '@ringfence/crypto/sign';
import type { Keyring } from '@ringfence/keyring';

/** A device of the keyring as lists show it. */
export type DeviceView = ReturnType<typeof deviceViews>[number];

/** Heads of the columns of {@link deviceCells}. */
export const DEVICE_HEAD = ['DEVICE', 'ROLES', 'FINGERPRINT'] as const;

/** All devices of a keyring, with their roles and the fingerprints of their keys. */
export function deviceViews(keyring: Keyring) {
  return keyring.devices().map(({ id: device, sign }) => ({
    device,
    officer: keyring.isOfficer(device),
    roles: keyring.roleWords(device),
    fingerprint: fingerprintWords(sign),
  }));
}

/** The row of a device; `own` is the one that asks. */
export function deviceCells({ device, officer, roles, fingerprint }: DeviceView, own: string): string[] {
  const name = `${device}${device === own ? ' (this one)' : ''}`;
  return [name, [...roles, ...(officer ? ['officer'] : [])].join(', '), fingerprint];
}
