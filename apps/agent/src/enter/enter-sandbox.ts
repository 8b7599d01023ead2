import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Writable, type Readable } from 'node:stream';
import type { EntryLaunch } from './entry-launch.ts';

/** A command that runs in a sandbox. */
export interface Entered {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit status, as a shell counts it. */
  readonly exited: Promise<number>;
  /** Ends it and all that it started in its session. */
  readonly end: () => void;
}

/**
 * Starts the launch in the namespaces that are open; `join` puts its first process into the job's cgroup before anything of it runs. Throws
 * errors of the system.
 */
export function enterSandbox(
  { argv: [program, ...argv], inputs }: EntryLaunch,
  namespaces: readonly number[],
  join: (pid: number) => void,
): Entered {
  const child = spawn(program, argv, {
    stdio: ['pipe', 'pipe', 'pipe', ...inputs.map(() => 'pipe' as const), ...namespaces],
    env: {},
    cwd: '/',
    detached: true,
  });
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + (constants.signals[signal ?? 'SIGKILL'] ?? 9)));
  });
  const end = (): void => {
    try {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  };
  const { pid } = child;
  if (pid !== undefined) {
    try {
      join(pid);
    } catch (error) {
      end();
      throw error;
    }
    for (const [index, bytes] of [...inputs.entries()].toReversed()) {
      const pipe = child.stdio[index + 3];
      if (pipe instanceof Writable) pipe.on('error', ignore).end(bytes);
    }
  }
  const [stdin, stdout, stderr] = [child.stdin, child.stdout, child.stderr];
  if (stdin === null || stdout === null || stderr === null) throw new TypeError('three streams were asked for');
  stdin.on('error', ignore);
  return { stdin, stdout, stderr, exited, end };
}

function ignore(): void {}
