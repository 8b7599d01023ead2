import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { makeFolder } from '@ringfence/base/platform';
import { SandboxError } from './sandbox-error.ts';

/** What an agent writes down before it lets a sandbox go, so that the next agent process can end it. */
export interface SandboxRecord {
  readonly version: 1;
  readonly id: string;
  readonly bootId: string;
  /** First process of the sandbox and its start time: names it without doubt within one boot. */
  readonly pid: number;
  readonly startTicks: number;
  /** The dedicated host uid that nobody else uses, or null when the job ran as the agent's own user. */
  readonly uid: number | null;
  readonly cgroup: { readonly version: 1 | 2; readonly folders: readonly string[] } | null;
  /** Folder for temporary files, or null. */
  readonly scratch: string | null;
}

/** The variable that marks every process of level process. */
export const MARKER_VARIABLE = 'RINGFENCE_SANDBOX';

/** Starts the name of a folder for the temporary files of a job at level process. */
export const SCRATCH_PREFIX = 'ringfence-job-';

const FOLDER = 'sandboxes';

/**
 * Writes `record` below `stateDir`, whole or not at all. No fsync: it must outlive this process, and a machine that lost
 * power has no leftovers to end.
 */
export function writeRecord(stateDir: string, record: SandboxRecord): void {
  makeFolder(join(stateDir, FOLDER));
  const path = recordPath(stateDir, record.id);
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Forgets a sandbox whose processes are all gone. */
export function removeRecord(stateDir: string, id: string): void {
  rmSync(recordPath(stateDir, id), { force: true });
}

/** Every record below `stateDir`. Throws SandboxError `bad-record` for one that cannot be read. */
export function readRecords(stateDir: string): readonly SandboxRecord[] {
  const folder = join(stateDir, FOLDER);
  makeFolder(folder);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => parseRecord(readFileSync(join(folder, name), 'utf8'), join(folder, name)));
}

function recordPath(stateDir: string, id: string): string {
  return join(stateDir, FOLDER, `${id}.json`);
}

function parseRecord(text: string, path: string): SandboxRecord {
  try {
    const value = JSON.parse(text) as Partial<SandboxRecord>;
    if (isRecord(value)) return value;
  } catch (cause) {
    throw bad(path, cause);
  }
  throw bad(path, null);
}

function bad(path: string, cause: unknown): SandboxError {
  return new SandboxError('bad-record', `${path} is no record of a sandbox`, {
    ...(cause === null ? {} : { cause }),
    next: 'end leftover processes of jobs by hand, then remove the file',
  });
}

function isRecord(value: Partial<SandboxRecord>): value is SandboxRecord {
  const { version, id, bootId, pid, startTicks, uid, cgroup, scratch } = value;
  const numbers = [pid, startTicks].every((field) => Number.isSafeInteger(field) && Number(field) > 0);
  const paths = cgroup === null || (Array.isArray(cgroup?.folders) && cgroup.folders.every((folder) => isOwn(folder)));
  return (
    version === 1 &&
    typeof id === 'string' &&
    /^[0-9a-f]{16,64}$/.test(id) &&
    typeof bootId === 'string' &&
    numbers &&
    (uid === null || (Number.isSafeInteger(uid) && Number(uid) >= 1000)) &&
    paths &&
    (scratch === null || (typeof scratch === 'string' && basename(scratch).startsWith(SCRATCH_PREFIX)))
  );
}

/** Only cgroups that a sandbox made are ever killed or removed. */
function isOwn(folder: unknown): boolean {
  return typeof folder === 'string' && /\/ringfence\.[0-9a-f]{16,64}$/.test(folder);
}
