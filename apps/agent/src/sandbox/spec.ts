import type { RootEntry } from '../oci/root-entry.ts';
import type { SandboxLevel } from './isolation.ts';
import type { SandboxNetwork } from './network.ts';

export { SECRETS_FOLDER } from '@ringfence/protocol/payload';
/** More than 64 secrets take. */
export const SECRETS_BYTES = 8 * 1_048_576;

/** A folder or file of the host that the job sees. */
export interface Mount {
  readonly hostPath: string;
  readonly sandboxPath: string;
  readonly mode: 'ro' | 'rw';
}

/** A device node of the host that the job may open. */
export interface DeviceNode {
  readonly hostPath: string;
  /** `/dev/nvidia…`; nothing else is given. */
  readonly sandboxPath: string;
}

/** A language runtime, read-only; `bin/` in it comes first in PATH. */
export interface RuntimeMount {
  readonly hostPath: string;
  readonly sandboxPath: string;
}

/** Resource limits of a whole job; what is left out is not limited. */
export interface SandboxLimits {
  readonly memoryBytes?: number;
  /** Refuse the plan unless memory is limited for the whole job, with a kill. */
  readonly hardMemory?: boolean;
  /** Processor cores, fractions allowed. */
  readonly cpus?: number;
  /** Processes and threads. */
  readonly pids?: number;
  /** Bytes in writable mounts together; a single file is bounded by the kernel, the sum is watched. */
  readonly diskBytes?: number;
  readonly openFiles?: number;
}

/** What to run and what it may see. Values of `env` and the script may be secret; nothing else may. */
export interface SandboxSpec {
  readonly level: SandboxLevel;
  /** Which of the agent's places for jobs, from 0; two jobs at once have two slots and so two host uids. */
  readonly slot: number;
  /** A program with its arguments, or a script for `/bin/sh -e`. */
  readonly command: readonly string[] | { readonly script: string };
  /** Working folder inside the sandbox: in a mount, or /tmp. */
  readonly cwd: string;
  /** Root file system of an image, at levels container and gvisor; left out: the site's default. */
  readonly root?: readonly RootEntry[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly runtimes: readonly RuntimeMount[];
  /** Nodes beside the harmless ones that every sandbox has; level process sees the machine's. */
  readonly devices?: readonly DeviceNode[];
  /** A folder in memory for secrets, {@link SECRETS_FOLDER}, which only the job's user passes; level process has none. */
  readonly secretsFolder?: boolean;
  readonly limits: SandboxLimits;
  /** Level sandbox has no more network than this; level process cannot take the machine's away. */
  readonly network: 'none' | SandboxNetwork;
  /** Size of /tmp and of /dev/shm each; both count as memory of the job. */
  readonly tmpfsBytes: number;
  readonly hostname: string;
  /** The job is stopped when it runs longer. */
  readonly maxDurationMs?: number;
  /** Time between SIGTERM and SIGKILL when the agent itself stops the job. */
  readonly stopGraceMs?: number;
}
