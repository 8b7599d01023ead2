import type { SandboxLevel } from '../sandbox/isolation.ts';

/** Tasks and bytes that what keeps a job apart takes from the job's own cgroup; they come on top of the job's limits. */
export const OWN_RESOURCES: Readonly<Record<SandboxLevel, { readonly pids: number; readonly memoryBytes: number }>> = {
  process: { pids: 0, memoryBytes: 0 },
  // bubblewrap and its init.
  sandbox: { pids: 2, memoryBytes: 0 },
  // unshare, a shell, and the threads of a runtime written in Go.
  container: { pids: 32, memoryBytes: 32 * 1024 * 1024 },
  // Kernel and file server of gVisor; each thread of the job has one of the host as well.
  gvisor: { pids: 256, memoryBytes: 128 * 1024 * 1024 },
};
