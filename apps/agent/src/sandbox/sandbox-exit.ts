import type { CgroupUsage } from './cgroup.ts';

/** Why a sandbox came to its end. `not-started`: bubblewrap failed before the job's program began; its words are in stderr. */
export type SandboxEnd = 'exited' | 'stopped' | 'timed-out' | 'disk-full' | 'not-started';

/** How a sandbox ended and what it used; null where this machine's limit driver cannot know. */
export interface SandboxExit {
  readonly ended: SandboxEnd;
  /** Exit code of the job's first process, or null when a signal ended it. */
  readonly code: number | null;
  /** At level sandbox an exit code of 128 + n is read as signal n, as shells do. */
  readonly signal: string | null;
  readonly oom: boolean | null;
  readonly peakMemoryBytes: number | null;
  readonly cpuMs: number | null;
  readonly wallMs: number;
}

/** What is known when the first process of a sandbox is gone. */
export interface Ending {
  /** Why the agent ended it, or null when it ended by itself. */
  readonly cause: Exclude<SandboxEnd, 'exited' | 'not-started'> | null;
  readonly code: number | null;
  readonly signal: string | null;
  /** What bubblewrap reported on its status descriptor; null at level process. */
  readonly status: string | null;
  readonly usage: CgroupUsage | null;
  readonly wallMs: number;
}

/** Makes the exit of a sandbox out of what was seen. `signalName` names signal numbers. */
export function sandboxExit(ending: Ending, signalName: (number: number) => string | null): SandboxExit {
  const { cause, code, status, usage, wallMs } = ending;
  const signal = ending.signal ?? (status !== null && code !== null && code > 128 ? signalName(code - 128) : null);
  return {
    ended: cause ?? (status !== null && code !== null && exitCodeIn(status) === null ? 'not-started' : 'exited'),
    code: signal === null ? code : null,
    signal,
    oom: usage === null || usage.oomKills === null ? null : usage.oomKills > 0,
    peakMemoryBytes: usage?.peakMemoryBytes ?? null,
    cpuMs: usage?.cpuMs ?? null,
    wallMs,
  };
}

/** The pid of the sandbox's init as the host sees it, from bubblewrap's status lines; null before it is reported. */
export function childPidIn(status: string): number | null {
  return numberOf(status, 'child-pid');
}

function exitCodeIn(status: string): number | null {
  return numberOf(status, 'exit-code');
}

function numberOf(status: string, key: string): number | null {
  const digits = new RegExp(`"${key}":\\s*([0-9]{1,10})`).exec(status)?.[1];
  return digits === undefined ? null : Number(digits);
}
