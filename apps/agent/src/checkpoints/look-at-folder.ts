import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync } from 'node:fs';
import { packPath } from '@ringfence/protocol/payload';

/** One file of a checkpoint as it was seen. */
export interface SeenFile {
  readonly path: string;
  readonly executable: boolean;
  /** Device and inode: what an open descriptor names. */
  readonly node: string;
  readonly bytes: number;
  /** Changes whenever content, name or length does. */
  readonly stamp: string;
  /** Milliseconds since the epoch of its last change. */
  readonly changedAt: number;
}

const MOST_FILES = 20_000;
const DEEPEST = 32;
const FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/** Names under which programs write what is not whole yet: `model.pt.tmp`, `tmp-checkpoint-500`, `.saving`, `7.orbax-checkpoint-tmp-1`. */
export function isUnfinishedName(name: string): boolean {
  return /^[.~]|^tmp|~$|[._-](?:tmp|temp|incomplete)(?:[._-]|$)|\.(?:part|partial)$/i.test(name);
}

/**
 * The regular files below the folder at `steps` under `root`, in order; undefined when it is not there or holds too much. The job runs and
 * may exchange any step for a link meanwhile: so every step is opened from the folder before it, and no link is followed. Links and
 * unfinished names are no part of a checkpoint.
 */
export function lookAtFolder(root: string, steps: readonly string[]): readonly SeenFile[] | undefined {
  const files: SeenFile[] = [];
  try {
    withFolder(root, steps, (folder) => visit(folder, '', files));
  } catch (error) {
    if (error instanceof TooMuch || isFileError(error)) return undefined;
    throw error;
  }
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Two looks that saw the same give the same text. */
export function stampOf(files: readonly SeenFile[]): string {
  return files.map(({ path, stamp }) => `${path}\0${stamp}\n`).join('');
}

/**
 * Calls `use` with a path of the folder at `steps` under `root` that stays that very folder, whatever the job does to its names.
 * Throws errors of the file system.
 */
export function withFolder<T>(root: string, steps: readonly string[], use: (folder: string) => T): T {
  const opened: number[] = [];
  try {
    let at = root;
    for (const step of ['.', ...steps]) {
      const descriptor = openSync(`${at}/${step}`, FOLDER);
      opened.push(descriptor);
      at = `/proc/self/fd/${descriptor}`;
    }
    return use(at);
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}

function visit(folder: string, path: string, files: SeenFile[]): void {
  if (path.split('/').length > DEEPEST) throw new TooMuch();
  for (const name of readdirSync(folder)) {
    const below = path === '' ? name : `${path}/${name}`;
    if (isUnfinishedName(name) || !packPath.safeParse(below).success) continue;
    const stat = lstatSync(`${folder}/${name}`, { bigint: true, throwIfNoEntry: false });
    if (stat?.isDirectory() === true) withFolder(folder, [name], (inner) => visit(inner, below, files));
    if (stat?.isFile() !== true) continue;
    if (files.length >= MOST_FILES) throw new TooMuch();
    files.push({
      path: below,
      executable: (stat.mode & 0o100n) !== 0n,
      node: `${stat.dev}:${stat.ino}`,
      bytes: Number(stat.size),
      stamp: stampOfFile(stat),
      changedAt: Number(stat.ctimeMs),
    });
  }
}

/** The stamp of an open file, as {@link SeenFile} has it. */
export function stampOfOpen(descriptor: number): string {
  return stampOfFile(fstatSync(descriptor, { bigint: true }));
}

function stampOfFile(stat: { dev: bigint; ino: bigint; size: bigint; mtimeNs: bigint; ctimeNs: bigint }): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

class TooMuch extends Error {}

/** What a job that changes its folder meanwhile causes. */
export function isFileError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
