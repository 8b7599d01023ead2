import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { newId, silentLog, systemRng, type Clock, type EpochMs, type Log, type MonotonicMs } from '@ringfence/base';
import { openStateFolder, systemClock } from '@ringfence/base/platform';
import { until as untilHolds } from '@ringfence/base/until';
import type { Authoriser } from '@ringfence/policy/authorise';
import { removeEmbedded } from '@ringfence/store';
import { createTestDatabase } from '@ringfence/store/test-database';
import { parseControlPlaneConfig } from './config.ts';
import { noFault, type Fault } from './fault-points.ts';
import { startControlPlane, type RunningControlPlane } from './start.ts';
import { openStore, type ControlPlaneStore } from './store/open-store.ts';

/** The machine's clock with time that passes by hand; timers run as ever. */
export class ShiftedClock implements Clock {
  #passed = 0;
  #ahead = 0;

  now(): EpochMs {
    return (systemClock.now() + this.#passed + this.#ahead) as EpochMs;
  }

  monotonic(): MonotonicMs {
    return (systemClock.monotonic() + this.#passed) as MonotonicMs;
  }

  after(delay: number, run: () => void): () => void {
    return systemClock.after(delay, run);
  }

  /** Lets time pass: both clocks show it. */
  shift(milliseconds: number): void {
    this.#passed += milliseconds;
  }

  /** Sets the wall clock: nothing has passed. */
  jump(milliseconds: number): void {
    this.#ahead += milliseconds;
  }
}

const cleanups = new WeakMap<TestContext, (() => Promise<void> | void)[]>();

/** Undoes a set-up when the test is over; the newest first, since it may stand on an older one. */
export function cleanUp(t: TestContext, undo: () => Promise<void> | void): void {
  const known = cleanups.get(t);
  if (known !== undefined) return void known.push(undo);
  const undos = [undo];
  cleanups.set(t, undos);
  t.after(async () => {
    for (const step of undos.toReversed()) await step();
  });
}

/** A control plane's database, opened beside its processes until the test is over. */
export async function openTestStore(t: TestContext, url: string): Promise<ControlPlaneStore> {
  const stateDir = temporaryFolder(t);
  const { store, close } = await openStore({ stateDir, url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  return store;
}

/** A temporary folder that the test removes. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-cp-'));
  cleanUp(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A state folder whose embedded database goes with it, wherever its data lie. */
export function embeddedFolder(t: TestContext): string {
  const stateDir = temporaryFolder(t);
  cleanUp(t, () => removeEmbedded({ stateDir, clock: systemClock }));
  return stateDir;
}

/** A database that outlives control planes of a test: its URL, and a folder for who opens it. */
export async function startDatabase(t: TestContext): Promise<{ url: string; stateDir: string }> {
  const database = await createTestDatabase('rf_cp');
  cleanUp(t, database.drop);
  return { stateDir: temporaryFolder(t), url: database.url };
}

/** How a replica of a test runs. */
export interface ReplicaSetup {
  readonly databaseUrl: string;
  readonly state?: string;
  readonly keys?: string;
  readonly clock?: Clock;
  readonly fault?: Fault;
  readonly log?: Log;
  readonly mostWaiting?: number;
  /** More of the command line. */
  readonly flags?: readonly string[];
  readonly authoriser?: Authoriser;
}

/** A control plane in this process, on a database that others may use too; the test closes it. */
export async function startReplica(t: TestContext, setup: ReplicaSetup): Promise<RunningControlPlane> {
  const state = setup.state ?? temporaryFolder(t);
  const flags = ['run', '--state', state, ...(setup.keys === undefined ? [] : ['--keys', setup.keys])];
  flags.push(...(setup.flags ?? []));
  if (setup.mostWaiting !== undefined) flags.push('--most-waiting', String(setup.mostWaiting));
  const config = parseControlPlaneConfig(flags, { DATABASE_URL: setup.databaseUrl });
  if (config === 'help') throw new Error('no help was asked for');
  openStateFolder({ path: state, role: 'control-plane', version: 1 });
  const running = await startControlPlane({
    config,
    clock: setup.clock ?? systemClock,
    rng: systemRng,
    log: setup.log ?? silentLog,
    replica: newId('site', systemRng),
    fault: setup.fault ?? noFault,
    ...(setup.authoriser === undefined ? {} : { authoriser: setup.authoriser }),
  });
  cleanUp(t, () => running.close());
  return running;
}

/** Waits until `condition` holds, at most `withinMs` where they are given. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs?: number,
): Promise<void> {
  await untilHolds(condition, what, withinMs);
}
