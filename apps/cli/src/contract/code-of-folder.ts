import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { codeDigest, type CodeEntry } from '@ringfence/protocol/federation';
import { travelling } from '../job/pack-workdir.ts';

/** The digest by which a contract names the code in a folder: of what would travel with a job of it. Throws CliError `bad-file`. */
export function codeOfFolder(folder: string): Digest {
  const entries = travelling(folder).entries.map((entry): CodeEntry => {
    if (entry.kind === 'link') return entry;
    const { path, executable } = entry;
    const bytes = readFileSync(join(folder, path));
    return { kind: 'file', path, executable, sha256: sha256Hex(bytes), size: bytes.length };
  });
  return codeDigest(entries);
}
