import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import type { HostIdentity } from './capabilities.ts';
import type { Launch, PlanInput } from './launch.ts';
import { SandboxError } from './sandbox-error.ts';

/** The first process of a sandbox, started and waiting for its last input. */
export interface GatedChild {
  readonly process: ChildProcess;
  readonly pid: number;
  /** Lets it go on; everything it does is done after this. */
  readonly openGate: () => void;
  /** What bubblewrap reported so far; null at level process. */
  readonly status: () => string | null;
}

/** What the first process gets beside its plan. */
export interface ChildSurroundings {
  readonly stdout: number;
  readonly stderr: number;
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The host user to drop to, groups cleared, before the first program runs; null keeps the agent's own. */
  readonly dropTo: HostIdentity | null;
}

/** Starts the first process of a sandbox; it waits at its gate. Throws SandboxError `start-failed`. */
export async function startGated(launch: Launch, around: ChildSurroundings): Promise<GatedChild> {
  const child = spawn(launch.program, launch.argv, {
    stdio: stdioOf(launch, around),
    cwd: around.workingFolder,
    env: around.environment,
    // Its own session: signals from the agent's terminal stay away, and stopping it cannot hit the agent.
    detached: true,
    ...around.dropTo,
  });
  const { pid } = child;
  if (pid === undefined) throw await startError(child);
  const lines: string[] = [];
  if (launch.statusFd !== null) {
    const pipe = child.stdio[launch.statusFd];
    if (pipe instanceof Readable)
      pipe.on('data', (chunk: Buffer) => lines.push(chunk.toString('latin1'))).on('error', ignore);
  }
  const gate = launch.inputs.at(-1);
  for (const input of launch.inputs) if (input !== gate) send(child, input);
  return {
    process: child,
    pid,
    openGate: () => {
      if (gate !== undefined) send(child, gate);
    },
    status: () => (launch.statusFd === null ? null : lines.join('')),
  };
}

/** Descriptors 3 and up are numbered without a gap by every plan. */
function stdioOf(launch: Launch, around: ChildSurroundings): StdioOptions {
  const extra = launch.inputs.length + (launch.statusFd === null ? 0 : 1);
  return ['ignore', around.stdout, around.stderr, ...Array.from({ length: extra }, () => 'pipe' as const)];
}

function send(child: ChildProcess, input: PlanInput): void {
  const pipe = child.stdio[input.fd];
  if (!(pipe instanceof Writable)) throw new TypeError('a plan numbers its descriptors without a gap');
  // A process that died early shows in its exit, not here.
  pipe.on('error', ignore);
  pipe.end(Buffer.from(input.bytes.expose()), () => input.bytes[Symbol.dispose]());
}

function startError(child: ChildProcess): Promise<SandboxError> {
  return new Promise((resolve) => {
    child.once('error', (cause) => {
      resolve(
        new SandboxError('start-failed', 'the first program of the sandbox could not be started', {
          cause,
          next: 'run ringfence doctor on this machine',
        }),
      );
    });
  });
}

function ignore(): void {}
