import { fromUtf8 } from '@ringfence/base';
import type { Workload } from '@ringfence/protocol/payload';
import type { gpuAccess } from '../gpu/gpu-access.ts';
import { imageRoot } from '../oci/image-root.ts';
import { SECRETS_FOLDER, type Mount, type SandboxLevel, type SandboxSpec } from '../sandbox/index.ts';
import { diskOf } from '../machine/capacity.ts';
import type { Machine } from '../machine/machine.ts';
import type { AttemptId } from './attempt-machine.ts';
import { deliverSecrets, type JobSecrets } from './job-secrets.ts';
import { CODE_PATH, type LaidOut } from './lay-out.ts';

const SMALLEST_TMP = 16_000_000;
const LARGEST_TMP = 4_000_000_000;
const SETUP_WITHIN_MS = 3_600_000;
const PIDS = 4_096;
/** A shell that SIGTERM ends at once takes the sandbox with it, and whoever writes a checkpoint then: it waits for its child first. */
const WAIT_FOR_CHILD = "trap 'exit 143' TERM";

/** Stand for all below /opt/ringfence, and for secrets that are files. */
const PLATFORM_PLACES = ['/opt/ringfence/metrics', SECRETS_FOLDER];

/** What a sandbox of an attempt is made of. */
export interface JobParts {
  readonly id: AttemptId;
  readonly workload: Workload;
  readonly level: SandboxLevel;
  readonly slot: number;
  /** What its graphics cards need. */
  readonly gpus: ReturnType<typeof gpuAccess>;
  readonly laidOut: LaidOut;
  readonly machine: Machine;
  readonly secrets: JobSecrets;
  /** How often to write a checkpoint, for a job that has one where losses are counted. */
  readonly checkpointSeconds?: number | undefined;
}

/** The job itself: its data read-only, its outputs, its own variables and no others but those that name the attempt and how often to write a checkpoint. */
export function runSpec({ id, workload, laidOut, secrets, gpus, checkpointSeconds, ...parts }: JobParts): SandboxSpec {
  return {
    ...common({ id, workload, laidOut, secrets, gpus, ...parts }),
    ...commandOf(workload, laidOut, secrets),
    env: {
      ...imageEnv(laidOut),
      ...ownCommandEnv(workload, secrets),
      ...gpus.env,
      ...workload.env,
      RINGFENCE_JOB: id.job,
      RINGFENCE_ATTEMPT: String(id.attempt),
      ...(checkpointSeconds === undefined ? {} : { RINGFENCE_CHECKPOINT_SECONDS: String(checkpointSeconds) }),
    },
    ...rootOf(laidOut, [laidOut.code, ...laidOut.data, ...laidOut.outputs]),
    devices: gpus.devices,
    secretsFolder: workload.secretFiles !== undefined,
    maxDurationMs: workload.maxDurationMs,
    stopGraceMs: workload.stopGraceMs,
  };
}

/** The setup before it: code alone, neither data nor variables nor a network. */
export function setupSpec(parts: JobParts): SandboxSpec {
  return {
    ...common(parts),
    command: { script: parts.workload.setup ?? '' },
    env: imageEnv(parts.laidOut),
    ...rootOf(parts.laidOut, [parts.laidOut.code]),
    maxDurationMs: Math.min(SETUP_WITHIN_MS, parts.workload.maxDurationMs),
    stopGraceMs: 0,
  };
}

/** The job's script, or the image's own command where it has none. */
function commandOf(
  { run, secretFiles }: Workload,
  { root }: LaidOut,
  secrets: JobSecrets,
): Pick<SandboxSpec, 'command'> & Partial<Pick<SandboxSpec, 'cwd'>> {
  if (run !== undefined)
    return { command: { script: `${WAIT_FOR_CHILD}\n${deliverSecrets(secrets, secretFiles)}${run}` } };
  const { command = null, cwd = CODE_PATH } = root.image?.process ?? {};
  if (command === null) throw new TypeError('a job without run has an image with a command');
  return { command, cwd };
}

/** No script of ours comes before an image's own command, so it gets secrets as it gets its other variables. */
function ownCommandEnv({ run }: Workload, secrets: JobSecrets): Readonly<Record<string, string>> {
  if (run !== undefined) return {};
  return Object.fromEntries([...secrets].map(([name, secret]) => [name, fromUtf8(secret.expose())]));
}

function imageEnv({ root }: LaidOut): Readonly<Record<string, string>> {
  return root.image?.process.env ?? {};
}

/** An image brings its own runtimes; what the platform adds to every job is mounted beside what the image has in /opt. */
function rootOf(
  { root: { image } }: LaidOut,
  mounts: readonly Mount[],
): Pick<SandboxSpec, 'mounts'> & Partial<Pick<SandboxSpec, 'root' | 'runtimes'>> {
  if (image === null) return { mounts };
  const places = [...mounts.map(({ sandboxPath }) => sandboxPath), ...PLATFORM_PLACES];
  return { mounts, runtimes: [], root: imageRoot(image.folder, places) };
}

function common({
  workload,
  level,
  slot,
  machine,
  laidOut,
}: JobParts): Omit<SandboxSpec, 'command' | 'env' | 'mounts'> {
  const { cpuMilli, memoryBytes, hardLimits } = workload.resources;
  return {
    level,
    slot,
    cwd: CODE_PATH,
    runtimes: laidOut.root.python === null ? machine.runtimes : [laidOut.root.python, ...machine.runtimes],
    limits: {
      ...memoryLimit(machine, { memoryBytes, hardLimits }),
      cpus: cpuMilli / 1000,
      pids: PIDS,
      diskBytes: diskOf(workload.resources),
    },
    network: 'none',
    tmpfsBytes: Math.min(LARGEST_TMP, Math.max(SMALLEST_TMP, Math.floor(memoryBytes / 2))),
    hostname: 'job',
  };
}

/**
 * A size with an end is the job's limit. One without (`8GB+`) only asks for a place: then the limit is what the machine has for jobs, and none
 * where only rlimits exist, since they bound addresses and not use (Node reserves half a gigabyte before its first line).
 */
function memoryLimit(
  { capacity, capabilities }: Machine,
  { memoryBytes, hardLimits }: Pick<Workload['resources'], 'memoryBytes' | 'hardLimits'>,
): Pick<SandboxSpec['limits'], 'memoryBytes' | 'hardMemory'> {
  if (hardLimits) return { memoryBytes, hardMemory: true };
  return capabilities.limits.memory === 'hard' ? { memoryBytes: capacity.memoryBytes } : {};
}
