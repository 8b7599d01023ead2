import { constants } from 'node:os';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type { Clock, MonotonicMs } from '@ringfence/base';
import type { CgroupUsage } from './cgroup.ts';
import { connectInbound } from './connect-inbound.ts';
import { signalled } from '../oci/container-processes.ts';
import { watchDisk } from './disk-watch.ts';
import { endTree } from './end-tree.ts';
import type { GatedChild } from './gated-child.ts';
import type { OutputPipe, OutputSink } from './output-pipes.ts';
import type { SandboxPlan } from './plan.ts';
import { killTree, membersOf, signalProcess } from './process-tree.ts';
import type { TreeIdentity } from './process-tree.ts';
import { childPidIn, sandboxExit } from './sandbox-exit.ts';
import type { Ending, SandboxExit } from './sandbox-exit.ts';
import { usageNow, type UsageNow } from './usage-now.ts';

const STARTING_MS = 5;

/** A started sandbox. */
export interface Running {
  /** Names the sandbox in its cgroup and its record. */
  readonly id: string;
  /** The first process on the host. */
  readonly pid: number;
  /** Its processes on the host without bubblewrap’s own; empty before it has begun. */
  readonly processes: () => readonly number[];
  /** Process 1 of the sandbox as the host numbers it; null before there is one, and at level process. */
  readonly init: () => number | null;
  /** Puts a process of the agent’s under the limits of the job, to end with it. */
  readonly join: (pid: number) => void;
  /** Whether SIGKILL was needed to end it. */
  readonly killed: () => boolean;
  /** What it has used so far; null without a cgroup. */
  readonly usage: () => CgroupUsage | null;
  /** What it uses at this moment. */
  readonly now: () => UsageNow;
  /**
   * A new connection to the service of the job (`network.inbound`), made once the service accepted it. Throws SandboxError
   * `inbound-refused` while nothing listens there, and `no-inbound` when the job has no service.
   */
  readonly connectInbound: () => Promise<Duplex>;
  /**
   * SIGTERM to every process of the job, after `graceMs` SIGKILL to all that is left; resolves like `exited`. Calling it
   * again only ever shortens the wait.
   */
  readonly stop: (graceMs: number) => Promise<SandboxExit>;
  /**
   * Settles when no process of the sandbox is left and its output is read to the end; rejects with SandboxError
   * `not-stopped` while something cannot be killed.
   */
  readonly exited: Promise<SandboxExit>;
}

/** What {@link runSandbox} watches over. */
export interface StartedSandbox {
  readonly plan: SandboxPlan;
  readonly host: { readonly clock: Clock; readonly onStdout: OutputSink; readonly onStderr: OutputSink };
  readonly child: GatedChild;
  readonly tree: TreeIdentity;
  readonly startedAt: MonotonicMs;
  readonly pipes: readonly [OutputPipe, OutputPipe];
  /** Removes what was made for the sandbox. */
  readonly discard: () => void;
}

/** Watches over a started sandbox: time, disk, output, end. */
export function runSandbox(started: StartedSandbox): Running {
  const { plan, host, tree, child } = started;
  const { clock } = host;
  const over = new AbortController();
  let cause: Ending['cause'] = null;
  let killAt = Number.POSITIVE_INFINITY;
  let killed = false;

  const end = (why: NonNullable<Ending['cause']>, graceMs: number) => {
    if (over.signal.aborted) return;
    if (cause === null) {
      cause = why;
      terminate(started, over.signal);
    }
    if (clock.monotonic() + graceMs >= killAt) return;
    killAt = clock.monotonic() + graceMs;
    whileRunning(
      over.signal,
      clock.after(graceMs, () => {
        killed = true;
        killTree(tree);
      }),
    );
  };
  if (plan.maxDurationMs !== null)
    whileRunning(
      over.signal,
      clock.after(plan.maxDurationMs, () => end('timed-out', plan.stopGraceMs)),
    );
  if (plan.diskBytes !== null) {
    const folders = plan.mounts.filter((mount) => mount.mode === 'rw').map((mount) => mount.hostPath);
    const quick = plan.level === 'gvisor';
    const watch = { folders, limit: plan.diskBytes, signal: over.signal, quick };
    void watchDisk(watch, clock, () => end('disk-full', 0));
  }
  const exited = settle(started, () => {
    over.abort();
    return cause;
  });
  return {
    id: tree.id,
    pid: tree.pid,
    exited,
    processes: () => jobProcesses(started),
    init: () => childPidIn(child.status() ?? ''),
    join: (pid) => tree.cgroup?.add(pid),
    killed: () => killed,
    usage: () => tree.cgroup?.usage() ?? null,
    now: () => usageNow(tree),
    connectInbound: () => connectInbound(plan, clock),
    stop: (graceMs) => {
      end('stopped', graceMs);
      return exited;
    },
  };
}

async function settle(started: StartedSandbox, over: () => Ending['cause']): Promise<SandboxExit> {
  const { host, child, tree, pipes } = started;
  const drained = Promise.allSettled([pipes[0].drain(host.onStdout), pipes[1].drain(host.onStderr)]);
  const [code, signal] = (await once(child.process, 'close')) as [number | null, NodeJS.Signals | null];
  const cause = over();
  const wallMs = host.clock.monotonic() - started.startedAt;
  const usage = tree.cgroup?.usage() ?? null;
  await endTree(tree, host.clock);
  // Every writer is gone, so both streams come to their end.
  await drained;
  started.discard();
  return sandboxExit({ cause, code, signal, status: child.status(), usage, wallMs }, signalName);
}

/**
 * SIGTERM to the job, once there is one: bubblewrap takes a few milliseconds to start it. Processes that come later get
 * none: they may be what the job saves its state with.
 */
function terminate(started: StartedSandbox, over: AbortSignal): void {
  const pids = jobProcesses(started);
  for (const pid of pids) signalProcess(pid, 'SIGTERM');
  if (pids.length > 0 || over.aborted) return;
  whileRunning(
    over,
    started.host.clock.after(STARTING_MS, () => terminate(started, over)),
  );
}

/** All of the job, but not bubblewrap, whose death would kill the rest at once; empty while the job is not there yet. */
function jobProcesses({ plan, child, tree }: StartedSandbox): readonly number[] {
  if (plan.level === 'process') return membersOf(tree);
  if (plan.level !== 'sandbox') return signalled(plan.level, membersOf(tree), { status: child.status() ?? '' });
  const init = childPidIn(child.status() ?? '');
  return init === null ? [] : membersOf(tree).filter((pid) => pid !== tree.pid && pid !== init);
}

function whileRunning(over: AbortSignal, cancel: () => void): void {
  over.addEventListener('abort', cancel, { once: true });
}

function signalName(number: number): string | null {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? null;
}
