// The CLI as a user runs it: a process, its own home, input by pipe.
import { spawn } from 'node:child_process';
import { roleCommand, type Entries } from './entries.ts';

/** What a CLI call gave back. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run the CLI. */
export interface CliCall {
  readonly entries: Entries;
  readonly home: string;
  /** Words before the command. */
  readonly prefix?: readonly string[];
  readonly args: readonly string[];
  readonly input?: string;
  readonly cwd?: string;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
  /** Milliseconds until the call is ended. */
  readonly within?: number;
  /** Once it is aborted, the call gets what Ctrl-C sends. */
  readonly interrupt?: AbortSignal;
}

/** Runs the CLI to its end; a call that takes too long is killed and shows as code null. */
export function runCli(call: CliCall): Promise<CliResult> {
  const [program = '', ...args] = [...(call.prefix ?? []), ...roleCommand(call.entries, 'cli', call.args)];
  const child = spawn(program, args, {
    cwd: call.cwd,
    env: { ...process.env, RINGFENCE_HOME: call.home },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      output[stream] += text;
      call.onOutput?.(text);
    });
  // A command that needs no input may end before it is written.
  child.stdin.on('error', () => {});
  child.stdin.end(call.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), call.within ?? 120_000);
  call.interrupt?.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, ...output });
    });
  });
}
