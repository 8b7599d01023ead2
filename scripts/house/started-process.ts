// One real process of the house: started, waited for, stopped, killed, and found again after a dirty stop.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** What to start; `root` is the folder of the house, where the log and the pid file go. */
export interface ProcessPlan {
  readonly name: string;
  readonly root: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds until the process must have said that it is ready. */
  readonly readyWithin?: number;
}

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process that printed its ready line. */
export interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  /** The ready line, parsed. */
  readonly ready: Readonly<Record<string, unknown>>;
  readonly logFile: string;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL when it has not ended after ten seconds. */
  stop(): Promise<Exit>;
  kill(signal?: NodeJS.Signals): void;
}

const STOP_WITHIN = 10_000;

/** Starts the process and resolves when its first line on stdout is a JSON object with `"event":"ready"`; throws an Error that quotes the log's end otherwise. */
export async function startProcess(plan: ProcessPlan): Promise<StartedProcess> {
  mkdirSync(join(plan.root, 'logs'), { recursive: true, mode: 0o700 });
  const logFile = join(plan.root, 'logs', `${plan.name}.log`);
  const log = openSync(logFile, 'a', 0o600);
  const [program, ...args] = plan.command;
  const child = spawn(program, args, {
    // A group of its own: Ctrl-C at the terminal reaches only the house, which stops its processes in order.
    detached: true,
    stdio: ['ignore', 'pipe', log],
    env: { ...process.env, ...plan.env },
  });
  closeSync(log);
  const exited = new Promise<Exit>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  rememberPid(plan, child);
  try {
    const ready = await readyLine(child, exited, plan.readyWithin ?? 60_000);
    return started(plan, child, { ready, exited, logFile });
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${plan.name} did not start: ${String(error)}\n${logEnd(logFile)}`, { cause: error });
  }
}

function started(
  plan: ProcessPlan,
  child: ChildProcess,
  rest: Pick<StartedProcess, 'ready' | 'exited' | 'logFile'>,
): StartedProcess {
  return {
    name: plan.name,
    pid: child.pid ?? 0,
    ...rest,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN);
      const exit = await rest.exited;
      clearTimeout(timer);
      rmSync(pidFile(plan.root, plan.name), { force: true });
      return exit;
    },
    kill: (signal = 'SIGKILL') => void child.kill(signal),
  };
}

function readyLine(child: ChildProcess, exited: Promise<Exit>, within: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready after ${within} ms`)), within);
    if (child.stdout === null) return reject(new Error('no stdout'));
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && 'event' in value && value.event === 'ready')
        resolve({ ...value });
      else reject(new Error('its first line is no ready line'));
    });
    child.once('error', reject);
    void exited.then((exit) => {
      clearTimeout(timer);
      reject(new Error(`it ended first (${exit.code ?? exit.signal})`));
    });
  });
}

function logEnd(file: string): string {
  return readFileSync(file, 'utf8').split('\n').slice(-12).join('\n');
}

function pidFile(root: string, name: string): string {
  return join(root, 'logs', `${name}.pid`);
}

/** Ticks since boot at which `pid` started, or undefined when it does not run: with the pid it names one process for ever. */
export function startTicks(pid: number): string | undefined {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync(stat)) return undefined;
  const text = readFileSync(stat, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function rememberPid(plan: ProcessPlan, child: ChildProcess): void {
  if (child.pid === undefined) return;
  writeFileSync(pidFile(plan.root, plan.name), JSON.stringify({ pid: child.pid, start: startTicks(child.pid) }), {
    mode: 0o600,
  });
}

/** Ends a process of this house that outlived an earlier dirty stop, found by pid and start time, never by name. */
export async function endLeftover(root: string, name: string): Promise<boolean> {
  const file = pidFile(root, name);
  if (!existsSync(file)) return false;
  const { pid, start } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; start: string | undefined };
  rmSync(file);
  if (start === undefined || startTicks(pid) !== start) return false;
  process.kill(pid, 'SIGTERM');
  for (let waited = 0; waited < STOP_WITHIN && startTicks(pid) === start; waited += 50)
    await new Promise((resolve) => setTimeout(resolve, 50));
  if (startTicks(pid) === start) process.kill(pid, 'SIGKILL');
  return true;
}
