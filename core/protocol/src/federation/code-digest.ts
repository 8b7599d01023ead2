import { canonicalJson, utf8 } from '@ringfence/base';
import { Sha256, type Digest } from '@ringfence/crypto/sign';

/** What the digest of a contract's code begins with. */
const CODE_HEAD = 'ringfence-contract-code/1\n';

/** One file of a contract's code, or a link within it. */
export type CodeEntry =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly executable: boolean;
      readonly sha256: Digest;
      readonly size: number;
    }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

/**
 * The name of code that every organisation computes alike, whatever keys sealed its pack: SHA-256 over a head line and each entry in canonical JSON with a newline
 * behind it, sorted by path in UTF-16 code units.
 */
export function codeDigest(entries: readonly CodeEntry[]): Digest {
  const hash = new Sha256().update(utf8(CODE_HEAD));
  for (const entry of entries.toSorted((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path))))
    hash.update(utf8(`${canonicalJson(entry)}\n`));
  return hash.hex();
}
