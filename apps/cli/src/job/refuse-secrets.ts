import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { beginsAsSealed } from '@ringfence/crypto/record';
import { CODE_PREFIX } from '@ringfence/keyring';
import { CliError } from '../cli-error.ts';

/** No code is longer; whoever keeps one in a file keeps little else there. */
const MOST_CODE_FILE_BYTES = 16_384;
const CODE = new RegExp(`\\b(?:${Object.values(CODE_PREFIX).join('|')})\\.[A-Za-z0-9_-]{64,}`);
const MOST_NAMED = 8;

/** Refuses to send away what our own commands write as secrets: keys sealed to a passphrase, and codes. Throws CliError `bad-file`, which names the files. */
export function refuseSecrets(
  workdir: string,
  files: readonly { readonly path: string; readonly size: number }[],
): void {
  const found = files.flatMap(({ path, size }) => {
    const kind = secretIn(join(workdir, path), size);
    return kind === undefined ? [] : [`${path} (${kind})`];
  });
  if (found.length === 0) return;
  const more = found.length > MOST_NAMED ? ` and ${found.length - MOST_NAMED} more` : '';
  throw new CliError(
    'bad-file',
    `the folder holds secrets that would travel with the job: ${found.slice(0, MOST_NAMED).join(', ')}${more}`,
    { next: 'move them out of the folder, or name them in .ringfenceignore' },
  );
}

function secretIn(path: string, size: number): string | undefined {
  const start = firstBytes(path, Math.min(size, MOST_CODE_FILE_BYTES));
  if (beginsAsSealed(start)) return 'a sealed key';
  return size <= MOST_CODE_FILE_BYTES && CODE.test(start.toString('latin1')) ? 'a code' : undefined;
}

function firstBytes(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(file, bytes, 0, length, 0));
  } finally {
    closeSync(file);
  }
}
