import { existsSync, lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { RingfenceError } from '../error.ts';
import { makeFolder, writeFileAtomic } from './atomic-file.ts';

/** Why a state folder cannot be opened. */
export class StateFolderError extends RingfenceError<
  'wrong-role' | 'too-new' | 'too-old' | 'not-a-state-folder' | 'corrupt' | 'unsafe'
> {}

/** Brings a state folder from one version to the next. */
export type StateUpgrade = (folder: string) => void;

/**
 * Opens (or makes, mode 0700) the state folder of one role and brings it up to `version`: `upgrades[n]` leads from
 * version n to n+1. `ringfence-state.json` carries role and version. A folder that others could exchange or write into is refused
 * as `unsafe`. Throws {@link StateFolderError}.
 */
export function openStateFolder(options: {
  path: string;
  role: string;
  version: number;
  upgrades?: Readonly<Record<number, StateUpgrade>>;
}): void {
  checkSafe(options.path);
  const marker = join(options.path, 'ringfence-state.json');
  if (!existsSync(marker)) {
    if (existsSync(options.path) && readdirSync(options.path).length > 0)
      throw new StateFolderError('not-a-state-folder', `${options.path} is not empty and is no state folder`, {
        next: 'name an empty or new folder',
      });
    makeFolder(options.path);
    writeMarker(marker, options.role, options.version);
    return;
  }
  const { role, version } = readMarker(marker);
  if (role !== options.role)
    throw new StateFolderError('wrong-role', `${options.path} belongs to a ${role}, not to a ${options.role}`, {
      next: 'name the folder of this role',
    });
  if (version > options.version)
    throw new StateFolderError(
      'too-new',
      `${options.path} has version ${version}; this release knows ${options.version}`,
      { next: 'start the newer release' },
    );
  for (let from = version; from < options.version; from += 1) {
    const upgrade = options.upgrades?.[from];
    if (upgrade === undefined)
      throw new StateFolderError('too-old', `no upgrade leads from version ${from}`, {
        next: 'start the release in between first',
      });
    upgrade(options.path);
    writeMarker(marker, options.role, from + 1);
  }
}

/** Parents may be shared, as in a container's volume; the folder itself holds keys. */
function checkSafe(path: string): void {
  // With a slash at its end, lstat would follow the link.
  const found = lstatSync(path.replace(/(?<=.)\/+$/, ''), { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isSymbolicLink())
    throw new StateFolderError('unsafe', `${path} is a symbolic link`, { next: 'name the folder itself' });
  if (!found.isDirectory())
    throw new StateFolderError('not-a-state-folder', `${path} is no folder`, { next: 'name an empty or new folder' });
  if (process.platform !== 'win32' && (found.mode & 0o022) !== 0)
    throw new StateFolderError('unsafe', `${path} can be written by other users`, {
      next: `find out who wrote into it, then chmod go-w ${path}`,
    });
}

function writeMarker(marker: string, role: string, version: number): void {
  writeFileAtomic(marker, `${JSON.stringify({ role, version })}\n`);
}

function readMarker(marker: string): { role: string; version: number } {
  const value = readJson(marker);
  if (typeof value === 'object' && value !== null && 'role' in value && 'version' in value)
    if (typeof value.role === 'string' && Number.isSafeInteger(value.version) && Number(value.version) >= 1)
      return { role: value.role, version: Number(value.version) };
  throw corrupt(marker);
}

function readJson(marker: string): unknown {
  const text = readFileSync(marker, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw corrupt(marker, cause);
  }
}

function corrupt(marker: string, cause?: unknown): StateFolderError {
  return new StateFolderError('corrupt', `${marker} is not readable`, {
    cause,
    next: 'restore the folder from a backup',
  });
}
