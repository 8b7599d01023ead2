import type { CgroupBase, CgroupController, LimitCapabilities } from './capabilities.ts';

/** Which limits hold, given where cgroups can be made and whether prlimit(1) is there. */
export function limitCapabilities(
  base: CgroupBase | null,
  machine: { readonly prlimit: boolean; readonly root: boolean; readonly openFiles: number },
): LimitCapabilities {
  const controllers = controllersOf(base);
  const hardMemory = controllers.includes('memory');
  return {
    driver: base === null ? 'rlimits' : base.version === 1 ? 'cgroup-v1' : 'cgroup-v2',
    base,
    memory: hardMemory ? 'hard' : machine.prlimit ? 'per-process' : 'none',
    cpus: controllers.includes('cpu'),
    pids: controllers.includes('pids'),
    openFiles: machine.openFiles,
    remedy: hardMemory ? null : remedy(machine.root),
  };
}

function controllersOf(base: CgroupBase | null): readonly CgroupController[] {
  if (base === null) return [];
  return base.version === 1 ? (Object.keys(base.folders) as CgroupController[]) : base.controllers;
}

function remedy(root: boolean): string {
  return root
    ? 'give the agent a writable cgroup with the memory controller (in a container: --cgroupns=private and a writable /sys/fs/cgroup)'
    : 'run the agent as root, or as a systemd service with Delegate=yes';
}
