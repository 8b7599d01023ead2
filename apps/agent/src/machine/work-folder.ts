import { createHash } from 'node:crypto';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { isId } from '@ringfence/base';
import { makeFolder } from '@ringfence/base/platform';
import { AgentError } from '../agent-error.ts';
import type { AttemptId } from '../attempt/attempt-machine.ts';
import { clearFolder } from './clear-folder.ts';

/** Where root keeps what jobs must reach: their users cannot pass a private state folder. */
const SYSTEM_FOLDER = '/var/lib/ringfence';

/** Folders outside the state folder. */
export interface WorkFolders {
  /** Attempts while they run; nothing in it outlives the process. */
  readonly attempts: string;
  /** Results of setups while the process lives; for the agent alone. */
  readonly setups: string;
  /** Unpacked images, which outlive the process. */
  readonly images: string;
  /** Copies of language runtimes. */
  readonly runtimes: string;
}

/**
 * Makes the folders in which attempts run and empties what a dead process left: only their own user passes an attempt's folder. Call it
 * after leftover sandboxes are ended. What `isWanted` names is kept: results that were being uploaded. Throws AgentError `no-work-folder`.
 */
export function openWorkFolders(
  state: string,
  wish: string | undefined,
  isWanted: (attempt: AttemptId) => boolean = () => false,
): WorkFolders {
  const root = process.getuid?.() === 0;
  const base = wish ?? (root ? SYSTEM_FOLDER : realpathSync(state));
  const name = createHash('sha256').update(realpathSync(state)).digest('hex').slice(0, 32);
  try {
    if (root) makePassage(base, 0o755);
    else makeFolder(base);
    const [jobs, runtimes, images] = [join(base, 'jobs'), join(base, 'runtimes'), join(base, 'images')];
    for (const folder of [jobs, join(jobs, name), runtimes, images, join(images, name)])
      makePassage(folder, root ? 0o711 : 0o700);
    const attempts = realpathSync(join(jobs, name));
    for (const left of readdirSync(attempts)) {
      const attempt = attemptOf(left);
      if (attempt === undefined || !isWanted(attempt)) clearFolder(join(attempts, left));
    }
    return {
      attempts,
      setups: join(attempts, 'setups'),
      images: realpathSync(join(images, name)),
      runtimes: realpathSync(runtimes),
    };
  } catch (cause) {
    if (cause instanceof AgentError) throw cause;
    throw new AgentError('no-work-folder', `jobs cannot be kept below ${base}`, {
      cause,
      next: 'name a folder with --work DIR',
    });
  }
}

/** Where an attempt lies while it runs. */
export function attemptRoom({ attempts }: Pick<WorkFolders, 'attempts'>, { job, attempt }: AttemptId): string {
  return join(attempts, `${job}-${attempt}`);
}

function attemptOf(name: string): AttemptId | undefined {
  const [, job = '', number] = /^(.+)-(\d{1,7})$/.exec(name) ?? [];
  return isId('job', job) ? { job, attempt: Number(number) } : undefined;
}

/** Lets nobody but the agent pass the folder of an attempt that is over. */
export function closeToJobs(room: string): void {
  chmodSync(room, 0o700);
  if (process.getuid?.() === 0) chownSync(room, 0, 0);
}

function makePassage(folder: string, mode: number): void {
  mkdirSync(folder, { recursive: true, mode });
  const stat = lstatSync(folder);
  const own = stat.isDirectory() && stat.uid === (process.getuid?.() ?? stat.uid) && (stat.mode & 0o022) === 0;
  if (!own)
    throw new AgentError('no-work-folder', `${folder} must be a folder that only this user can change`, {
      next: `change its owner and mode, or name another with --work DIR`,
    });
  if ((stat.mode & mode) !== mode) chmodSync(folder, (stat.mode | mode) & 0o777);
}
