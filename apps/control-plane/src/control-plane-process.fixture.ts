import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { cleanUp } from './control-plane.fixture.ts';
import type { Target } from './organisation.fixture.ts';

/** A control plane as a process of its own. */
export interface ControlPlaneProcess extends Target {
  readonly child: ChildProcess;
  /** Everything that it wrote to its log. */
  readonly log: string[];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** How to start it; without `databaseUrl` it brings its own database. */
export interface ProcessSetup {
  readonly state: string;
  readonly keys?: string;
  readonly databaseUrl?: string;
  readonly port?: string;
  readonly fault?: string;
  readonly nodeFlags?: readonly string[];
}

const MAIN = join(import.meta.dirname, 'main.ts');

/** Starts a control plane and waits for its ready line; the test ends it. */
export async function startProcess(t: TestContext, setup: ProcessSetup): Promise<ControlPlaneProcess> {
  const { state, keys, databaseUrl, port = '0', fault, nodeFlags = [] } = setup;
  const args = [...nodeFlags, MAIN, 'run', '--state', state, '--listen', `127.0.0.1:${port}`];
  const child = spawn(process.execPath, [...args, ...(keys === undefined ? [] : ['--keys', keys])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(fault === undefined ? {} : { RINGFENCE_FAULT: fault }),
    },
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  cleanUp(t, async () => {
    child.kill('SIGTERM');
    await exited;
  });
  const log: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => log.push(line));
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve)),
    exited.then(({ code, signal }) => {
      throw new Error(`the control plane ended first (${code ?? signal}): ${log.slice(-5).join('\n')}`);
    }),
  ]);
  return { child, log, exited, ready: JSON.parse(line) as Target['ready'] };
}

/** Ends a control plane as a power cut would. */
export async function killProcess({ child, exited }: ControlPlaneProcess): Promise<void> {
  child.kill('SIGKILL');
  await exited;
}
