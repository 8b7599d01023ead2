import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync } from 'node:fs';
import { writeFileAtomic } from '@ringfence/base/platform';

/**
 * The content of the file at `path`, which is `make()` if nobody wrote it before. Of several processes that write at the same
 * time one wins and all return its content; a crash leaves the whole file or none (link(2) does not replace). Mode 0600.
 */
export function readOrWriteFirst(path: string, make: () => string): string {
  const present = readIfPresent(path);
  if (present !== undefined) return present;
  const sibling = `${path}.${randomUUID()}`;
  writeFileAtomic(sibling, make());
  try {
    linkSync(sibling, path);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(sibling, { force: true });
  }
  return readFileSync(path, 'utf8');
}

/** The text of the file at `path`, or undefined when there is none. */
export function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether `error` carries the errno name `code`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
