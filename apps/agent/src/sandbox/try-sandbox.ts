import type { Clock, Rng } from '@ringfence/base';
import type { SandboxCapabilities } from './capabilities.ts';
import { JOB_ID } from './etc-files.ts';
import type { SandboxLevel } from './isolation.ts';
import { planSandbox } from './plan.ts';
import { startSandbox } from './start-sandbox.ts';

/** What a trial job found out about its own confinement. */
export interface Trial {
  readonly works: boolean;
  /** The first fact that does not hold, for the operator. */
  readonly missing: string | null;
  readonly stderr: string;
}

const TRIAL_MS = 20_000;

/** Runs a job that reports what the kernel says about it, and judges the report. Throws SandboxError. */
export async function trySandbox(
  level: SandboxLevel,
  capabilities: SandboxCapabilities,
  host: { readonly stateDir: string; readonly clock: Clock; readonly rng: Rng },
): Promise<Trial> {
  const result = planSandbox(
    {
      level,
      slot: 0,
      command: { script: 'cat /proc/self/status /proc/self/net/dev' },
      cwd: '/tmp',
      env: {},
      mounts: [],
      runtimes: [],
      limits: { memoryBytes: 2 ** 28, cpus: 1, pids: 64 },
      network: 'none',
      tmpfsBytes: 2 ** 20,
      hostname: 'probe',
      maxDurationMs: TRIAL_MS,
      stopGraceMs: 1,
    },
    capabilities,
  );
  if (!result.ok) return { works: false, missing: result.refusals[0]?.reason ?? null, stderr: '' };
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const running = await startSandbox(result.plan, {
    ...host,
    onStdout: (chunk) => void out.push(chunk),
    onStderr: (chunk) => void err.push(chunk),
  });
  const exit = await running.exited;
  const missing =
    exit.ended === 'exited' && exit.code === 0
      ? missingFact(level, Buffer.concat(out).toString(), capabilities)
      : `it ended with ${exit.signal ?? exit.code ?? exit.ended}`;
  return { works: missing === null, missing, stderr: missing === null ? '' : Buffer.concat(err).toString() };
}

/** The first fact about confinement that `report` (/proc/self/status and /proc/self/net/dev) does not show, or null. */
export function missingFact(level: SandboxLevel, report: string, capabilities: SandboxCapabilities): string | null {
  const field = (name: string) => new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(report)?.[1]?.trim() ?? 'absent';
  const interfaces = [...report.matchAll(/^ *([^ :\n]+):(?: +[0-9]+){16}/gm)].map((match) => match[1]);
  const dedicated = capabilities.users.kind === 'dedicated';
  const facts: readonly (readonly [boolean, string])[] = [
    [!dedicated || field('Groups') === '', 'supplementary groups remain'],
    [!dedicated || /^0+$/.test(field('CapEff')), 'capabilities remain'],
    [level === 'process' || /^0+$/.test(field('CapBnd')), 'capabilities can come back'],
    // The kernel that answers at level gvisor is gVisor's own: it has neither of the two, and no use for them.
    [level === 'process' || level === 'gvisor' || field('NoNewPrivs') === '1', 'privileges can be gained'],
    [level === 'process' || level === 'gvisor' || field('Seccomp') === '2', 'no system call filter'],
    [level === 'process' || new RegExp(`^${level === 'sandbox' ? JOB_ID : 0}\\b`).test(field('Uid')), 'wrong user'],
    [level === 'process' || interfaces.every((name) => name === 'lo'), 'a network interface beside lo'],
  ];
  return facts.find(([holds]) => !holds)?.[1] ?? null;
}
