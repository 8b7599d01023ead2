import type { Cgroup, CgroupLimits } from './cgroup.ts';
import { cgroupV1Folders, openCgroupV1, writeLimitsV1 } from './cgroup-v1.ts';
import { CGROUP_V2_PREFIX, openCgroupV2, writeLimitsV2 } from './cgroup-v2.ts';
import { makeCgroupFolder } from './cgroup-files.ts';
import { SandboxError } from './sandbox-error.ts';

/** Makes the cgroup of sandbox `id` with its limits set, empty. Throws SandboxError `cgroup-failed`. */
export function createCgroup(limits: CgroupLimits, id: string): Cgroup {
  const { base } = limits;
  const folders = base.version === 1 ? cgroupV1Folders(base, id) : [`${base.folder}/${CGROUP_V2_PREFIX}${id}`];
  const cgroup = openCgroup(base.version, folders);
  try {
    for (const folder of folders) makeCgroupFolder(folder);
    if (base.version === 1) writeLimitsV1(folders, limits);
    else writeLimitsV2(folders, limits, base.controllers);
    return cgroup;
  } catch (cause) {
    cgroup.remove();
    throw new SandboxError('cgroup-failed', 'the cgroup of the job could not be made', {
      cause,
      next: 'look whether the agent may still write its cgroup, then restart it',
    });
  }
}

/** The cgroup that `folders` of an earlier {@link createCgroup} name; they may be gone. */
export function openCgroup(version: 1 | 2, folders: readonly string[]): Cgroup {
  return version === 1 ? openCgroupV1(folders) : openCgroupV2(folders);
}
