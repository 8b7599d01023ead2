import { canonicalJson, utf8 } from '@ringfence/base';
import { Sha256, type Digest } from '@ringfence/crypto/sign';
import { DATA_MANIFEST_HEAD, type DataEntry } from '@ringfence/protocol/payload';

/** The digest of a manifest whose entries are sorted (docs/protocol/payload-api.md). */
export function manifestDigest(entries: readonly DataEntry[]): Digest {
  const hash = new Sha256();
  hash.update(utf8(DATA_MANIFEST_HEAD));
  for (const entry of entries) hash.update(utf8(`${canonicalJson(entry)}\n`));
  return hash.hex();
}
