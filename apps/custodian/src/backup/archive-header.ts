import { canonicalBytes, fromBase64Url, fromUtf8, toBase64Url, type Rng, Secret } from '@ringfence/base';
import { openWithPassphrase, Passphrase, sealWithPassphrase } from '@ringfence/crypto/record';
import { DataKey, type ObjectIdentity } from '@ringfence/crypto/seal';
import { idOf } from '@ringfence/protocol';
import { z } from 'zod';
import { badArchive } from './archive-entries.ts';

const MAGIC = Buffer.from('RFB1', 'latin1');
const LONGEST_HEADER = 4_096;

const header = z.strictObject({
  v: z.literal(1),
  org: idOf('org'),
  project: idOf('project'),
  /** The archive's data key under the passphrase. */
  key: z.string().max(1_024),
});

/** Whose archive it is; what follows is one sealed object (docs/object-format.md) of this identity. */
export function archiveIdentity({ org, project }: Pick<ObjectIdentity, 'org' | 'project'>): ObjectIdentity {
  return { org, project, object: 'backup', version: 1 };
}

/** A fresh data key, and the clear bytes that an archive begins with: `RFB1`, u32 length, canonical JSON. */
export async function makeHeader(
  of: Pick<ObjectIdentity, 'org' | 'project'>,
  passphrase: string,
  rng: Rng,
): Promise<{ bytes: Uint8Array; dataKey: DataKey }> {
  const dataKey = DataKey.generate(rng);
  const lock = { passphrase: new Passphrase(passphrase), purpose: 'custodian-keys' } as const;
  const sealed = await sealWithPassphrase(lock, new Secret(Uint8Array.from(dataKey.expose())), rng);
  const json = canonicalBytes({ v: 1, org: of.org, project: of.project, key: toBase64Url(sealed) });
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return { bytes: Buffer.concat([MAGIC, length, json]), dataKey };
}

/** Reads the header at the start of an archive; throws CustodianError `bad-backup`, also for a wrong passphrase. */
export async function readHeader(
  start: Uint8Array,
  passphrase: string,
): Promise<{ identity: ObjectIdentity; dataKey: DataKey; bytes: number }> {
  const view = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (view.length < 8 || MAGIC.compare(view, 0, 4) !== 0) throw badArchive();
  const length = view.readUInt32BE(4);
  if (length > LONGEST_HEADER || view.length < 8 + length) throw badArchive();
  try {
    const { org, project, key } = header.parse(JSON.parse(fromUtf8(view.subarray(8, 8 + length))));
    const lock = { passphrase: new Passphrase(passphrase), purpose: 'custodian-keys' } as const;
    const opened = await openWithPassphrase(lock, fromBase64Url(key));
    return {
      identity: archiveIdentity({ org, project }),
      dataKey: DataKey.fromBytes(Uint8Array.from(opened.expose())),
      bytes: 8 + length,
    };
  } catch (cause) {
    throw badArchive(cause);
  }
}
