import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sleep, type Clock } from '@ringfence/base';
import { StoreError } from '../store-error.ts';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { hasCode } from '../first-writer.ts';
import type { Places } from './places.ts';
import { readPostmasterFile } from './postmaster-file.ts';
import { readProcess, type ProcessEntry } from './process-entry.ts';
import { SERVER_ENVIRONMENT, serverArguments } from './settings.ts';

const POLL_MS = 20;
/** Recovery after a dirty stop replays at most max_wal_size. */
const READY_WITHIN_MS = 120_000;
const STOP_FAST_MS = 20_000;
const STOP_IMMEDIATE_MS = 10_000;
const LOG_LIMIT = 1024 * 1024;
const TAIL = 8 * 1024;

/** What one server needs. */
export interface ServerPlan {
  readonly places: Places;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly socketDir: string;
  readonly connections: number | undefined;
  readonly clock: Clock;
}

/** `ready`: accepts connections. `busy`: another server, or backends that outlived one, hold the data folder; try again. */
export type LaunchResult = { readonly result: 'ready'; readonly entry: ProcessEntry } | { readonly result: 'busy' };

/**
 * Starts the server as its own session (Ctrl-C must not stop it before its clients) and waits until it is ready. Its output goes to
 * the log file, which outlives us. Throws `start-failed`.
 */
export async function launchServer(plan: ServerPlan): Promise<LaunchResult> {
  const log = openLog(plan.places.log);
  const from = fstatSync(log).size;
  let ended: string | undefined;
  const child = spawnServer(plan, log);
  child.once('error', (error) => (ended = error.message)).once('exit', (code, signal) => (ended = `${code ?? signal}`));
  child.unref();
  const deadline = plan.clock.monotonic() + READY_WITHIN_MS;
  try {
    while (plan.clock.monotonic() < deadline) {
      if (ended !== undefined) return explainEnd(log, from, ended);
      const file = readPostmasterFile(plan.places.data);
      const entry = file?.pid === child.pid && file?.status === 'ready' ? readProcess(file.pid) : undefined;
      if (entry !== undefined) return { result: 'ready', entry };
      await sleep(plan.clock, POLL_MS);
    }
    child.kill('SIGQUIT');
    throw startFailed(`no answer within ${READY_WITHIN_MS / 1000} s`);
  } finally {
    closeSync(log);
  }
}

/** Stops a server: fast shutdown first, then at once (which costs a recovery at the next start). Throws `stop-failed`. */
export async function stopServer(entry: ProcessEntry, clock: Clock): Promise<void> {
  for (const [signal, patience] of [
    ['SIGINT', STOP_FAST_MS],
    ['SIGQUIT', STOP_IMMEDIATE_MS],
  ] as const) {
    if (!isAlive(entry) || !send(entry.pid, signal)) return;
    const deadline = clock.monotonic() + patience;
    while (clock.monotonic() < deadline) {
      if (!isAlive(entry)) return;
      await sleep(clock, POLL_MS);
    }
  }
  throw new StoreError('stop-failed', `the database server ${entry.pid} does not stop`, {
    next: 'look at what its backends wait for; a kill -9 is healed at the next start',
  });
}

/** Whether that very process still runs; a reused pid has another start time. */
export function isAlive(entry: ProcessEntry): boolean {
  return readProcess(entry.pid)?.started === entry.started;
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

function spawnServer(plan: ServerPlan, log: number): ChildProcess {
  const { binaries, places, account, socketDir, connections } = plan;
  return spawn(join(binaries.folder, 'bin', 'postgres'), serverArguments(places.data, socketDir, connections), {
    cwd: '/',
    detached: true,
    env: SERVER_ENVIRONMENT,
    stdio: ['ignore', log, log],
    ...(account === undefined ? {} : { uid: account.uid, gid: account.gid }),
  });
}

function openLog(path: string): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT) renameSync(path, `${path}.1`);
  return openSync(path, 'a+', 0o600);
}

function explainEnd(log: number, from: number, ended: string): LaunchResult {
  const bytes = Buffer.alloc(TAIL);
  const start = Math.max(from, fstatSync(log).size - TAIL);
  const text = bytes.toString('utf8', 0, readSync(log, bytes, 0, TAIL, start)).trim();
  if (/pre-existing shared memory block|lock file ".*" already exists/.test(text)) return { result: 'busy' };
  throw startFailed(`it ended with ${ended}`, new Error(text));
}

function startFailed(why: string, cause?: Error): StoreError {
  return new StoreError('start-failed', `the embedded database did not start: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    next: 'see the cause and server.log; free disk space, restore a backup or set a database URL',
  });
}
