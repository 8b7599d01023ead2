import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBase64Url, Secret, toBase64Url } from '@ringfence/base';
import { makeFolder, writeFileAtomic } from '@ringfence/base/platform';
import { TlsKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import { idOf, sha256, signKey, whole } from '@ringfence/protocol';
import { controlPlaneRoute, partyRoute } from '@ringfence/protocol/payload';
import { z } from 'zod';
import { CliError } from '../cli-error.ts';

/** What this device knows of its organisation; no secrets. */
export const profileSchema = z.strictObject({
  v: z.literal(1),
  name: z.string(),
  org: idOf('org'),
  orgRoot: signKey,
  project: idOf('project'),
  device: idOf('device'),
  controlPlane: controlPlaneRoute,
  custodian: partyRoute.extend({ id: idOf('custodian') }),
  /** The newest keyring head that was accepted. */
  seen: z.strictObject({ seq: whole(0, 1_000_000), epoch: whole(1, 1_000_000), digest: sha256 }).optional(),
});

/** A profile. */
export type Profile = z.infer<typeof profileSchema>;

const keysSchema = z.strictObject({ v: z.literal(1), sign: z.string(), tls: z.string(), certificate: z.string() });

/** The device's keys and the certificate of its TLS identity. */
export interface DeviceKeys {
  readonly sign: SigningKey;
  readonly tls: TlsKey;
  readonly certificatePem: string;
}

/** Whether `home` has a complete profile. */
export function hasProfile(home: string): boolean {
  return existsSync(join(home, 'profile.json'));
}

/** The profile in `home`; throws CliError `no-profile`. */
export function readProfile(home: string): Profile {
  return readFile(join(home, 'profile.json'), profileSchema);
}

/** Stores the profile; it is complete once this file is there. */
export function writeProfile(home: string, profile: Profile): void {
  makeFolder(home);
  writeFileAtomic(join(home, 'profile.json'), `${JSON.stringify(profile, null, 2)}\n`);
}

/** The device's keys in `home`; throws CliError `no-profile`. */
export function readDeviceKeys(home: string): DeviceKeys {
  const stored = readFile(join(home, 'device-keys.json'), keysSchema);
  const seed = (text: string): Secret => new Secret(fromBase64Url(text));
  return {
    sign: SigningKey.fromSeed(seed(stored.sign)),
    tls: TlsKey.fromSeed(seed(stored.tls)),
    certificatePem: stored.certificate,
  };
}

/** Stores the device's keys (0600). */
export function writeDeviceKeys(home: string, keys: DeviceKeys): void {
  makeFolder(home);
  const stored = {
    v: 1,
    sign: toBase64Url(keys.sign.seed().expose()),
    tls: toBase64Url(keys.tls.seed().expose()),
    certificate: keys.certificatePem,
  };
  writeFileAtomic(join(home, 'device-keys.json'), `${JSON.stringify(stored)}\n`);
}

function readFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new CliError('no-profile', `${path} is missing or damaged`, {
      cause,
      next: 'run `ringfence org init` first, or point RINGFENCE_HOME to the folder of your profile',
    });
  }
}
