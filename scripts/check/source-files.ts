import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the repository: path relative to its root, and its text. */
export type SourceFile = { path: string; text: string };

const BINARY = /\.(png|jpe?g|gif|ico|woff2?|wasm|gz|zip|pdf|bin|der|heic)$/;
const SKIPPED_FOLDERS = ['node_modules', 'dist', '.git', '.ringfence'];

/** Every text file that git tracks or would add, with its content. */
export function sourceFiles(checkout: string): SourceFile[] {
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: checkout,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return listing
    .split('\0')
    .filter((path) => path !== '' && !BINARY.test(path) && existsSync(join(checkout, path)))
    .map((path) => ({ path, text: readFileSync(join(checkout, path), 'utf8') }));
}

/** Folders below `checkout` that hold nothing, or nothing but such folders; git would not carry them. */
export function emptyFolders(checkout: string, folder = '.'): string[] {
  const entries = readdirSync(join(checkout, folder), { withFileTypes: true });
  const inner = entries.filter((entry) => entry.isDirectory() && !SKIPPED_FOLDERS.includes(entry.name));
  const path = (name: string) => (folder === '.' ? name : `${folder}/${name}`);
  if (entries.length === 0) return [folder];
  return inner.flatMap((entry) => emptyFolders(checkout, path(entry.name)));
}
