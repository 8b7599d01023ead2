import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { placeCopy } from '../sandbox/place-copy.ts';

/** Where jobs find what they can import. */
export const SDK_FOLDER = '/opt/ringfence/sdk';
/** Below {@link SDK_FOLDER}: the folder that Python looks through. */
export const PYTHON_FOLDER = 'python';
const FILES = [`${PYTHON_FOLDER}/ringfence.py`, 'typescript/ringfence.ts'] as const;

/** The folder with the SDK that came with this program, or null: its sources in a checkout, beside the program in a release. */
export function ownSdkFolder(program: string | undefined): string | null {
  if (program === undefined) return null;
  const folder = program.endsWith('.ts') ? resolve(dirname(program), '../../../sdk') : resolve(dirname(program), 'sdk');
  return FILES.every((file) => existsSync(join(folder, file))) ? folder : null;
}

/**
 * A copy of the SDK below `folder` that every job's user can read, by the name of its content; made once, by a temporary name and a rename, so
 * that a job never sees half of it.
 */
export function copySdk(source: string, folder: string): string {
  const files = FILES.map((name) => ({ name, bytes: readFileSync(join(source, name)) }));
  const digest = files.reduce(
    (hash, { name, bytes }) => hash.update(`${name} ${bytes.length}\n`).update(bytes),
    createHash('sha256'),
  );
  const copy = join(folder, `sdk-${digest.digest('hex').slice(0, 16)}`);
  if (existsSync(copy)) return copy;
  const draft = `${copy}.${process.pid}.new`;
  rmSync(draft, { recursive: true, force: true });
  for (const { name, bytes } of files) {
    const path = join(draft, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, bytes);
    chmodSync(path, 0o644);
    chmodSync(dirname(path), 0o755);
  }
  chmodSync(draft, 0o755);
  placeCopy(draft, copy);
  return copy;
}
