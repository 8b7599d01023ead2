import { existsSync, readFileSync } from 'node:fs';
import { holdFolder, makeFolder } from '@ringfence/base/platform';
import type { JobUsers } from './capabilities.ts';
import { bootId, liveProcesses, processStat, runsAs } from './process-table.ts';
import { SandboxError } from './sandbox-error.ts';

/** Jobs that one agent runs at once at most; each has its own host uid. */
export const SLOTS = 64;
/** systemd's range for users that exist only while something runs (systemd.io/UIDS-GIDS). */
const FIRST_UID = 61_184;
const LAST_UID = 65_519;

/** Where an agent that is root gets the uids of its jobs. */
export interface JobUserOptions {
  /** First of {@link SLOTS} uids that the operator set aside for this agent. */
  readonly firstUid?: number;
  /** Where agents of one machine tell each other which uids are taken. Default /run/ringfence/job-users. */
  readonly registry?: string;
}

/**
 * Who jobs run as. An agent that is no root has only itself. As root it takes a block of {@link SLOTS} uids for as long as
 * this process lives, from the operator's setting or from those that no passwd entry, process or other agent uses.
 * Call it after reapOrphans. Throws SandboxError `no-free-uids`.
 */
export function claimJobUsers(options: JobUserOptions = {}): JobUsers {
  const uid = process.getuid?.() ?? 0;
  if (uid !== 0) return { kind: 'own', uid, gid: process.getgid?.() ?? uid };
  if (options.firstUid !== undefined) {
    if (options.firstUid < 1000 || options.firstUid + SLOTS > 4_000_000_000)
      throw new SandboxError('no-free-uids', 'the first uid for jobs must lie from 1000 to 3,999,999,000', {
        next: 'choose a range that no account uses',
      });
    return { kind: 'dedicated', firstUid: options.firstUid, slots: SLOTS };
  }
  const registry = options.registry ?? '/run/ringfence/job-users';
  makeFolder(registry);
  for (let first = FIRST_UID; first + SLOTS - 1 <= LAST_UID; first += SLOTS)
    if (isUnused(first) && claim(registry, first)) return { kind: 'dedicated', firstUid: first, slots: SLOTS };
  throw new SandboxError('no-free-uids', `every block of ${SLOTS} uids from ${FIRST_UID} is in use`, {
    next: 'set a first uid for the jobs of this agent',
  });
}

/** Whether the block is this process's until it ends. */
function claim(registry: string, first: number): boolean {
  if (isClaimedByFile(`${registry}/${first}`)) return false;
  const folder = `${registry}/block-${first}`;
  makeFolder(folder);
  return typeof holdFolder(folder) === 'function';
}

/** Agents of releases before this one claim a block by a file; one of them may still run beside this one. */
function isClaimedByFile(path: string): boolean {
  if (!existsSync(path)) return false;
  const [boot, pid, ticks] = readFileSync(path, 'utf8').split(' ');
  return boot === bootId() && String(processStat(Number(pid))?.startTicks) === ticks;
}

function isUnused(first: number): boolean {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => Number(line.split(':')[2] ?? 'none'));
  const account = accounts.some((uid) => uid >= first && uid < first + SLOTS);
  return !account && !liveProcesses().some((stat) => runsAs(stat.pid, first, SLOTS));
}
