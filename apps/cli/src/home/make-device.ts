import type { Clock, Rng } from '@ringfence/base';
import { createLinkIdentity } from '@ringfence/client/payload-link';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { writeDeviceKeys, type DeviceKeys } from './profile.ts';

/** Makes this device's keys and stores them in `home` (0600). */
export async function makeDevice({ clock, rng, home }: { clock: Clock; rng: Rng; home: string }): Promise<DeviceKeys> {
  const sign = SigningKey.generate(rng);
  const tls = TlsKey.generate(rng);
  const { tls: certificate } = await createLinkIdentity({ key: tls, clock, rng });
  const keys = { sign, tls, certificatePem: certificate.certificatePem };
  writeDeviceKeys(home, keys);
  return keys;
}
