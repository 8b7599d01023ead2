import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { CgroupBase, CgroupController } from './capabilities.ts';
import { listProcesses, makeCgroupFolder, readControl, removeFolders, writeControl } from './cgroup-files.ts';
import { ownFolderV2, ownFoldersV1, parseMountInfo, parseOwnCgroups } from './mount-table.ts';
import { liveProcesses, treeOf } from './process-table.ts';

/** Where the agent itself goes when its version 2 cgroup becomes the parent of jobs. */
const AGENT_LEAF = 'ringfence-agent';
const WANTED_V2: readonly CgroupController[] = ['memory', 'pids', 'cpu'];

/**
 * Finds where this process may make cgroups for jobs, by making one: below its own version 1 cgroups; else below its own
 * version 2 cgroup, out of which it moves itself first (a version 2 cgroup holds processes or controllers, not both);
 * else, as root, at the top of version 2. null where none can be written.
 */
export function claimCgroupBase(): CgroupBase | null {
  const mounts = parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8'));
  const own = parseOwnCgroups(readFileSync('/proc/self/cgroup', 'utf8'));
  const folders = Object.fromEntries(
    Object.entries(ownFoldersV1(mounts, own)).filter(([, folder]) => canMakeIn(folder)),
  );
  if ('memory' in folders || 'pids' in folders) return { version: 1, folders };
  const v2 = ownFolderV2(mounts, own);
  if (v2 === null) return null;
  const mine = basename(v2.folder) === AGENT_LEAF ? dirname(v2.folder) : v2.folder;
  return claimV2(mine) ?? (process.getuid?.() === 0 && mine !== v2.top ? claimV2(v2.top) : null);
}

function claimV2(folder: string): CgroupBase | null {
  if (!canMakeIn(folder) || !isFreeOfProcesses(folder)) return null;
  const present = readControl([folder], 'cgroup.controllers')?.split(/\s+/) ?? [];
  for (const controller of WANTED_V2.filter((name) => present.includes(name))) {
    try {
      writeControl(folder, 'cgroup.subtree_control', `+${controller}`);
    } catch {
      // not delegated; what is on already shows below
    }
  }
  const enabled = readControl([folder], 'cgroup.subtree_control')?.split(/\s+/) ?? [];
  const controllers = WANTED_V2.filter((controller) => enabled.includes(controller));
  return controllers.length === 0 ? null : { version: 2, folder, controllers };
}

/**
 * Whether no process is in `folder`, after this one and its children moved into a leaf. It must come before controllers:
 * those that know threads (pids, cpu) can be turned on in a folder with processes, and make its children unusable for
 * jobs. False, with nothing moved, when somebody else's process is in it. The top of the hierarchy may hold processes.
 */
function isFreeOfProcesses(folder: string): boolean {
  if (readControl([folder], 'cgroup.type') === null) return true;
  const pids = listProcesses([folder]);
  const ours = new Set(treeOf(process.pid, liveProcesses()).map((stat) => stat.pid));
  if (pids.some((pid) => !ours.has(pid))) return false;
  const leaf = `${folder}/${AGENT_LEAF}`;
  try {
    if (pids.length > 0) mkdirSync(leaf, { recursive: true });
    for (const pid of pids) writeControl(leaf, 'cgroup.procs', pid);
    return true;
  } catch {
    return false;
  }
}

function canMakeIn(folder: string): boolean {
  const probe = `${folder}/ringfence-probe.${process.pid}`;
  try {
    makeCgroupFolder(probe);
    rmdirSync(probe);
    return true;
  } catch {
    removeFolders([probe]);
    return false;
  }
}
