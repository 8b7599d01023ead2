import { canonicalBytes, type DeviceId, type EpochMs, type OrgId } from '@ringfence/base';
import { sha256Hex, type SigningKey } from '@ringfence/crypto/sign';
import { readStatement, signStatement, verifyStatement, type Keyring } from '@ringfence/keyring';
import type { ExportManifest } from '@ringfence/protocol/payload';
import { MANIFEST_FILE } from './exported-line.ts';

/** Who signs a manifest, and when. */
export interface ManifestSigner {
  readonly org: OrgId;
  readonly device: DeviceId;
  readonly key: SigningKey;
  readonly at: EpochMs;
}

/** The manifest of an export: the device signs how many files and withheld things there are, and the digest of each list. */
export function signManifest(
  { org, device, key, at }: ManifestSigner,
  { files, withheld }: Pick<ExportManifest, 'files' | 'withheld'>,
): ExportManifest {
  const body = { v: 1, org, device, at, files: listOf(files), withheld: listOf(withheld) } as const;
  return { signed: signStatement('export-manifest', body, [key]), files, withheld };
}

/**
 * When the manifest was signed. Throws TypeError unless a device of the keyring signed both of its lists, and KeyringError for a bad signature. Earlier
 * releases signed the list of files alone; what such an export names as withheld is then nobody's word.
 */
export function checkManifest({ signed, files, withheld }: ExportManifest, keyring: Keyring): EpochMs {
  const read = readStatement('export-manifest', signed);
  const { device } = read.claimed;
  const key = keyring.deviceKey(device);
  if (key === undefined) throw new TypeError('no device of the keyring signed it');
  const { body } = verifyStatement(read, [key]);
  if (!isSame(body.files, files)) throw new TypeError(`${MANIFEST_FILE} lists other files than ${device} signed`);
  if (body.withheld !== undefined && !isSame(body.withheld, withheld))
    throw new TypeError(`${MANIFEST_FILE} names other things as withheld than ${device} signed`);
  return body.at;
}

type List = ReturnType<typeof listOf>;

function listOf(items: readonly object[]) {
  return { count: items.length, digest: sha256Hex(canonicalBytes(items)) };
}

function isSame(signed: List, items: readonly object[]): boolean {
  const { count, digest } = listOf(items);
  return signed.count === count && signed.digest === digest;
}
