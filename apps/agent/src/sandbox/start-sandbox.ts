import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock, Rng } from '@ringfence/base';
import type { HostIdentity } from './capabilities.ts';
import type { Cgroup } from './cgroup.ts';
import { startGated } from './gated-child.ts';
import { closeInheritedDescriptors } from './inherited-descriptors.ts';
import { checkMountAccess } from './mount-access.ts';
import { createCgroup } from './open-cgroup.ts';
import { removeLeftovers } from './own-leftovers.ts';
import { openOutputPipes } from './output-pipes.ts';
import type { OutputPipe, OutputSink } from './output-pipes.ts';
import type { SandboxPlan } from './plan.ts';
import { bootId, isUidBusy, processStat } from './process-table.ts';
import { signalProcess } from './process-tree.ts';
import type { TreeIdentity } from './process-tree.ts';
import { MARKER_VARIABLE, SCRATCH_PREFIX, removeRecord, writeRecord } from './record.ts';
import { runSandbox } from './running-sandbox.ts';
import type { Running } from './running-sandbox.ts';
import { SandboxError } from './sandbox-error.ts';

/** What starting a sandbox needs from its surroundings. */
export interface SandboxHost {
  /** The agent's state folder: records of running sandboxes live in it. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly onStdout: OutputSink;
  readonly onStderr: OutputSink;
}

/** What is made for one sandbox and must go with it. */
interface Belongings {
  readonly id: string;
  readonly pipes: readonly [OutputPipe, OutputPipe];
  readonly scratch: string | null;
  /** The host user that nobody but this job has and that may write folders of the machine; null at other levels. */
  readonly writer: number | null;
  readonly cgroup: Cgroup | null;
}

/**
 * Starts what `plan` describes, once: its inputs are wiped. Order matters: host user free, mounts reachable, cgroup made,
 * process started but waiting, recorded, put in its cgroup, then let go; so the death of the agent at any point leaves
 * nothing that the record does not name. Throws SandboxError, and then nothing is left behind.
 */
export async function startSandbox(plan: SandboxPlan, host: SandboxHost): Promise<Running> {
  const dropTo = plan.dropped ? plan.identity : null;
  for (const mount of plan.mounts) checkMountAccess(mount.hostPath, dropTo);
  if (dropTo !== null) refuseBusyUser(dropTo);
  closeInheritedDescriptors();
  const own = await makeBelongings(plan, host, dropTo);
  try {
    return await startPrepared(plan, host, own);
  } catch (error) {
    discard(own, host.stateDir);
    throw error;
  } finally {
    for (const pipe of own.pipes) pipe.closeWriter();
  }
}

async function startPrepared(plan: SandboxPlan, host: SandboxHost, own: Belongings): Promise<Running> {
  const dropTo = plan.dropped ? plan.identity : null;
  const startedAt = host.clock.monotonic();
  const child = await startGated(plan.launch, {
    stdout: own.pipes[0].writeFd,
    stderr: own.pipes[1].writeFd,
    workingFolder: plan.launch.workingFolder ?? own.scratch ?? '/',
    environment: environmentOf(plan, own),
    dropTo,
  });
  try {
    const tree = identify(child.pid, own, dropTo);
    writeRecord(host.stateDir, {
      version: 1,
      id: tree.id,
      bootId: bootId(),
      pid: tree.pid,
      startTicks: tree.startTicks,
      uid: tree.uid,
      cgroup: own.cgroup === null ? null : { version: own.cgroup.version, folders: own.cgroup.folders },
      scratch: own.scratch,
    });
    own.cgroup?.add(child.pid);
    preferForOom(child.pid);
    const running = runSandbox({
      plan,
      host,
      child,
      tree,
      startedAt,
      pipes: own.pipes,
      discard: () => discard(own, host.stateDir),
    });
    child.openGate();
    return running;
  } catch (error) {
    signalProcess(child.pid, 'SIGKILL');
    throw error;
  }
}

/** A dedicated uid in use means a leftover or a second agent: its processes would share files and signals with the job. */
function refuseBusyUser(identity: HostIdentity): void {
  if (isUidBusy(identity.uid))
    throw new SandboxError('uid-busy', `a process already runs as the job's uid ${identity.uid}`, {
      next: 'end the leftovers of earlier jobs, or give this agent another range of uids',
    });
}

async function makeBelongings(plan: SandboxPlan, host: SandboxHost, owner: HostIdentity | null): Promise<Belongings> {
  const id = Buffer.from(host.rng.bytes(16)).toString('hex');
  const folder = mkdtempSync(join(host.stateDir, 'pipes-'));
  let pipes: readonly [OutputPipe, OutputPipe];
  try {
    pipes = await openOutputPipes(folder, owner);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  try {
    const cgroup = plan.cgroup === null ? null : createCgroup(plan.cgroup, id);
    const onHost = plan.level === 'process';
    const scratch = onHost ? makeScratch(owner) : null;
    return { id, pipes, cgroup, scratch, writer: onHost && owner !== null ? owner.uid : null };
  } catch (error) {
    for (const pipe of pipes) abandon(pipe);
    throw error;
  }
}

function makeScratch(owner: HostIdentity | null): string {
  const scratch = mkdtempSync(join(tmpdir(), SCRATCH_PREFIX));
  if (owner !== null) chownSync(scratch, owner.uid, owner.gid);
  return scratch;
}

function identify(pid: number, own: Belongings, dropTo: HostIdentity | null): TreeIdentity {
  const stat = processStat(pid);
  if (stat === null)
    throw new SandboxError('start-failed', 'the first process of the sandbox ended at once', {
      next: 'run ringfence doctor on this machine',
    });
  return { id: own.id, pid, startTicks: stat.startTicks, uid: dropTo?.uid ?? null, cgroup: own.cgroup };
}

function environmentOf(plan: SandboxPlan, own: Belongings): Readonly<Record<string, string>> {
  const { environment, scratchVariables } = plan.launch;
  const entries = Buffer.from(environment.expose()).toString().split('\0').slice(0, -1);
  environment[Symbol.dispose]();
  const asked = Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
  if (plan.level !== 'process') return asked;
  const scratch = Object.fromEntries(scratchVariables.map((name) => [name, own.scratch ?? '/tmp']));
  return { ...asked, ...scratch, [MARKER_VARIABLE]: own.id };
}

/** When the machine as a whole runs out of memory, jobs go before the agent. */
function preferForOom(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, '500');
  } catch {
    // a job that already ended; its exit tells
  }
}

function discard(own: Belongings, stateDir: string): void {
  for (const pipe of own.pipes) abandon(pipe);
  own.cgroup?.remove();
  if (own.scratch !== null) rmSync(own.scratch, { recursive: true, force: true });
  if (own.writer !== null) removeLeftovers(own.writer);
  removeRecord(stateDir, own.id);
}

function abandon(pipe: OutputPipe): void {
  pipe.closeWriter();
  pipe.abandon();
}
