import { spawnSync } from 'node:child_process';
import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { messageOf } from '@ringfence/base';
import type { HostIdentity } from './capabilities.ts';
import { SandboxError } from './sandbox-error.ts';

/** A folder on a server that is away keeps whoever asks about it waiting. */
const WITHIN_MS = 5_000;

/**
 * Makes sure that `hostPath` is there, leads through no symlink (whoever can plant one could show the job another folder),
 * and can be reached by the job's host user (null: the agent's own). Throws SandboxError.
 */
export function checkMountAccess(hostPath: string, identity: HostIdentity | null): void {
  let real: string;
  try {
    real = realpathSync(hostPath);
  } catch (cause) {
    throw new SandboxError('mount-missing', `a mount's folder cannot be opened: ${messageOf(cause)}`, { cause });
  }
  if (real !== hostPath)
    throw new SandboxError('mount-symlink', `${hostPath} leads through a symbolic link`, {
      next: 'mount the real path',
    });
  if (identity === null) return;
  const blocking = blockingFolder(hostPath, identity);
  if (blocking !== null)
    throw new SandboxError('mount-unreachable', `uid ${identity.uid} of the job cannot pass ${blocking}`, {
      next: `chmod o+x ${blocking}, or keep the folder elsewhere`,
    });
}

/** The first folder on the way to `path` that `identity` may not pass, or null when it can reach it. */
export function blockingFolder(path: string, identity: HostIdentity): string | null {
  const closed = parentsOf(path).find((folder) => !mayPass(folder, identity));
  if (closed === undefined) return null;
  // Mode bits do not tell about access control lists; asking as that user does, and costs a process.
  const reaches = spawnSync('/usr/bin/test', ['-e', path], {
    ...identity,
    env: {},
    cwd: '/',
    stdio: 'ignore',
    timeout: WITHIN_MS,
    killSignal: 'SIGKILL',
  });
  return reaches.status === 0 ? null : closed;
}

function parentsOf(path: string): readonly string[] {
  const parents: string[] = [];
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    parents.unshift(folder);
    if (folder === '/') return parents;
  }
}

function mayPass(folder: string, { uid, gid }: HostIdentity): boolean {
  const stat = statSync(folder);
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0;
  return ((stat.mode >> shift) & 1) === 1;
}
