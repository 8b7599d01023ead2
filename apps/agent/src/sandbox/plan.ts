import type { CgroupLimits } from './cgroup.ts';
import { checkSpec } from './check-spec.ts';
import { hostIdentity } from './capabilities.ts';
import type { HostIdentity, SandboxCapabilities } from './capabilities.ts';
import { OWN_RESOURCES } from '../oci/own-resources.ts';
import { planContainer } from '../oci/container-plan.ts';
import { planBubblewrap } from './bubblewrap-plan.ts';
import type { Launch } from './launch.ts';
import type { SandboxLevel } from './isolation.ts';
import type { PlanRefusal } from './plan-refusal.ts';
import { planProcess } from './process-plan.ts';
import { initOf } from './planned-init.ts';
import type { SandboxNetwork } from './network.ts';
import type { Mount, SandboxSpec } from './spec.ts';

/** A limit that the job asked for and this machine cannot enforce. */
export type UnenforcedLimit = 'memoryBytes' | 'cpus' | 'pids' | 'openFiles' | 'diskBytes';

/** Everything needed to start a sandbox; made by {@link planSandbox}, run by startSandbox. */
export interface SandboxPlan {
  readonly level: SandboxLevel;
  readonly slot: number;
  readonly identity: HostIdentity;
  /** Whether the identity is a dedicated one that the agent, as root, drops to. */
  readonly dropped: boolean;
  readonly launch: Launch;
  readonly mounts: readonly Mount[];
  readonly network: 'none' | SandboxNetwork;
  /** null where there is no cgroup to put the job in. */
  readonly cgroup: CgroupLimits | null;
  readonly diskBytes: number | null;
  readonly maxDurationMs: number | null;
  readonly stopGraceMs: number;
  readonly unenforced: readonly UnenforcedLimit[];
}

/** The answer of {@link planSandbox}. */
export type PlanResult =
  | { readonly ok: true; readonly plan: SandboxPlan }
  | { readonly ok: false; readonly refusals: readonly PlanRefusal[] };

const STOP_GRACE_MS = 10_000;

/**
 * Turns a specification into what is started on a machine with `capabilities`, or says everything that is wrong with it.
 * Pure: it reads and starts nothing.
 */
export function planSandbox(spec: SandboxSpec, capabilities: SandboxCapabilities): PlanResult {
  const refusals = checkSpec(spec, capabilities);
  if (refusals.length > 0) return { ok: false, refusals };
  const launch = LAUNCHES[spec.level](spec, capabilities);
  const runtimes = spec.runtimes.map((runtime) => ({ ...runtime, mode: 'ro' as const }));
  const plan: SandboxPlan = {
    level: spec.level,
    slot: spec.slot,
    identity: hostIdentity(capabilities.users, spec.slot),
    dropped: capabilities.users.kind === 'dedicated',
    launch,
    mounts: [...spec.mounts, ...runtimes, ...(initOf(spec)?.mounts ?? [])],
    network: spec.network,
    cgroup: cgroupLimits(spec, capabilities),
    diskBytes: spec.limits.diskBytes ?? null,
    maxDurationMs: spec.maxDurationMs ?? null,
    stopGraceMs: spec.stopGraceMs ?? STOP_GRACE_MS,
    unenforced: unenforced(spec, capabilities),
  };
  return { ok: true, plan };
}

const LAUNCHES: Readonly<Record<SandboxLevel, typeof planProcess>> = {
  process: planProcess,
  sandbox: planBubblewrap,
  container: planContainer,
  gvisor: planContainer,
};

function cgroupLimits(spec: SandboxSpec, { limits: { base } }: SandboxCapabilities): CgroupLimits | null {
  if (base === null) return null;
  const { memoryBytes, cpus, pids } = spec.limits;
  // What the init itself takes comes on top, or a small job would pay for it.
  const init = initOf(spec)?.own ?? { memoryBytes: 0, pids: 0 };
  const level = OWN_RESOURCES[spec.level];
  return {
    base,
    memoryBytes: memoryBytes === undefined ? null : memoryBytes + init.memoryBytes + level.memoryBytes,
    cpus: cpus ?? null,
    pids: pids === undefined ? null : pids + init.pids + level.pids,
  };
}

function unenforced(spec: SandboxSpec, { limits, tools, users }: SandboxCapabilities): readonly UnenforcedLimit[] {
  const prlimit = tools.prlimit !== null;
  // At level process RLIMIT_NPROC counts all processes of the user: usable only where that user is the job's alone.
  const pids = limits.pids || (prlimit && (spec.level !== 'process' || users.kind === 'dedicated'));
  const enforced: Readonly<Record<UnenforcedLimit, boolean>> = {
    memoryBytes: limits.memory !== 'none',
    cpus: limits.cpus,
    pids,
    openFiles: prlimit,
    diskBytes: true,
  };
  const names = Object.keys(enforced) as UnenforcedLimit[];
  return names.filter((name) => spec.limits[name] !== undefined && !enforced[name]);
}
