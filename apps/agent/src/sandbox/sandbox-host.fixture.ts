import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { hostIdentity } from './capabilities.ts';
import type { HostIdentity, SandboxCapabilities } from './capabilities.ts';
import { claimJobUsers } from './job-users.ts';
import { planSandbox } from './plan.ts';
import type { SandboxPlan } from './plan.ts';
import { probeIsolation } from './probe-isolation.ts';
import type { Running } from './running-sandbox.ts';
import type { SandboxExit } from './sandbox-exit.ts';
import { SMALL_JOB } from './sandbox-spec.fixture.ts';
import { shareRuntime } from './share-runtime.ts';
import type { SandboxSpec } from './spec.ts';
import { startSandbox } from './start-sandbox.ts';

/** This machine as an agent sees it, with a folder that goes away after the test. */
export interface TestHost {
  readonly folder: string;
  readonly stateDir: string;
  readonly capabilities: SandboxCapabilities;
}

/** A job that was started, and its output so far. */
export interface TestJob {
  readonly running: Running;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

let probed: Promise<SandboxCapabilities> | null = null;

/** Opens this machine for one test. */
export async function openTestHost(t: TestContext): Promise<TestHost> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ringfence-sandbox-')));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  // Jobs reach their folders through it; what is private in it has modes of its own.
  chmodSync(folder, 0o711);
  const stateDir = join(folder, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
  probed ??= Promise.resolve(claimJobUsers()).then((users) =>
    probeIsolation({ stateDir, clock: systemClock, rng: systemRng, users }),
  );
  return { folder, stateDir, capabilities: await probed };
}

/** Who the job of `slot` is on the host. */
export function identityOf(host: TestHost, slot = SMALL_JOB.slot): HostIdentity {
  return hostIdentity(host.capabilities.users, slot);
}

/** A folder that the job of `slot` may write. */
export function jobFolder(host: TestHost, name: string, slot = SMALL_JOB.slot): string {
  const folder = join(host.folder, name);
  mkdirSync(folder, { mode: 0o700 });
  const { uid, gid } = identityOf(host, slot);
  if (process.getuid?.() === 0) chownSync(folder, uid, gid);
  return folder;
}

/** The platform's own Node, where jobs can reach it. */
export function nodeRuntime(host: TestHost): SandboxSpec['runtimes'][number] {
  const dropTo = host.capabilities.users.kind === 'dedicated' ? identityOf(host) : null;
  return {
    hostPath: shareRuntime(dirname(dirname(process.execPath)), join(host.folder, 'node'), dropTo),
    sandboxPath: '/opt/ringfence/node',
  };
}

/** A plan that must be possible here. */
export function planHere(host: TestHost, over: Partial<SandboxSpec>): SandboxPlan {
  const result = planSandbox({ ...SMALL_JOB, ...over }, host.capabilities);
  assert.ok(result.ok, JSON.stringify(result));
  return result.plan;
}

/** Starts a plan. */
export async function startPlan(host: TestHost, plan: SandboxPlan): Promise<TestJob> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const running = await startSandbox(plan, {
    stateDir: host.stateDir,
    clock: systemClock,
    rng: systemRng,
    onStdout: (chunk) => void out.push(chunk),
    onStderr: (chunk) => void err.push(chunk),
  });
  return { running, stdout: () => Buffer.concat(out).toString(), stderr: () => Buffer.concat(err).toString() };
}

/** How a job ended and what it said. */
export interface Finished {
  readonly exit: SandboxExit;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a job to its end. */
export async function runJob(host: TestHost, over: Partial<SandboxSpec>): Promise<Finished> {
  return finish(await startPlan(host, planHere(host, over)));
}

/** Waits for the end of a job. */
export async function finish(job: TestJob): Promise<Finished> {
  const exit = await job.running.exited;
  return { exit, stdout: job.stdout(), stderr: job.stderr() };
}
