import { Sha256 } from '@ringfence/crypto/sign';
import type { CodeEntry } from '@ringfence/protocol/federation';
import { openChunk, readManifest, type OpenPackOptions } from './open-pack.ts';

/**
 * The files and links of a pack with the digests of their plain bytes, laid out nowhere: what a contract's digest of code is computed over. Throws
 * ClientError `bad-pack`.
 */
export async function hashPack(options: OpenPackOptions): Promise<CodeEntry[]> {
  const { files, links } = await readManifest(options);
  const entries: CodeEntry[] = links.map(({ path, target }) => ({ kind: 'link', path, target }));
  for (const { path, executable, chunks } of files) {
    const hash = new Sha256();
    let size = 0;
    for (const chunk of chunks) {
      const bytes = await openChunk(options, chunk);
      hash.update(bytes);
      size += bytes.length;
    }
    entries.push({ kind: 'file', path, executable, sha256: hash.hex(), size });
  }
  return entries;
}
