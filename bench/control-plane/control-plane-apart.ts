// One real control-plane process on a PostgreSQL of its own, and organisations that its operator's codes admit.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { removeEmbedded, startEmbedded } from '@ringfence/store';
import { openKeyFolder } from '../../apps/control-plane/src/identity/key-folder.ts';
import { addRegistrationCode } from '../../apps/control-plane/src/registration/registration-codes.ts';
import { keptRoute } from '../../apps/control-plane/src/registration/registration-route.ts';
import { openStore } from '../../apps/control-plane/src/store/open-store.ts';
import { startControlPlane, text, type StartedProcess } from '../../scripts/house/index.ts';

const NAME = 'control-plane';

/** Where a party finds the control plane, and what it pins. */
export type Target = { readonly url: string; readonly caFile: string; readonly id: string; readonly root: string };

/** A control plane whose database is a process tree apart. */
export type ControlPlaneApart = {
  readonly process: StartedProcess;
  readonly target: Target;
  /** Process of the PostgreSQL server. */
  readonly databasePid: number;
  /** As many registration codes, as the operator's verb makes them, from one open store. */
  codes(count: number): Promise<string[]>;
  /** Ends the process by SIGKILL and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again at the same address. */
  restart(): Promise<void>;
  /** Stops the control plane, then the database, whose data go too. */
  stop(): Promise<void>;
};

/** Starts PostgreSQL and a control plane below `root`, quiet (`--log-level warn`). */
export async function startControlPlaneApart(root: string): Promise<ControlPlaneApart> {
  const stateDir = join(root, 'database');
  mkdirSync(stateDir, { mode: 0o700 });
  const database = await startEmbedded({ stateDir, log: silentLog, clock: systemClock });
  const databaseUrl = Buffer.from(database.connectionString().expose()).toString();
  const env = { [NAME]: { DATABASE_URL: databaseUrl, RINGFENCE_LOG_LEVEL: 'warn' } };
  const start = () => startControlPlane({ root, entries: { kind: 'source' }, env });
  const endDatabase = async (): Promise<void> => {
    await database.stop();
    await removeEmbedded({ stateDir, clock: systemClock });
  };
  let running = await start().catch(async (error: unknown) => {
    await endDatabase();
    throw error;
  });
  const target = {
    url: text(running, 'url'),
    caFile: text(running, 'ca_file'),
    id: text(running, 'id'),
    root: text(running, 'root'),
  };
  return {
    get process() {
      return running;
    },
    target,
    databasePid: database.pid,
    codes: (count) => codes({ state: join(root, NAME), databaseUrl, count }),
    async kill() {
      running.kill('SIGKILL');
      await running.exited;
    },
    async restart() {
      running = await start();
    },
    async stop() {
      await running.stop();
      await endDatabase();
    },
  };
}

async function codes(of: { state: string; databaseUrl: string; count: number }): Promise<string[]> {
  const time = { clock: systemClock, rng: systemRng };
  const { store, close } = await openStore({
    stateDir: of.state,
    url: of.databaseUrl,
    clock: systemClock,
    log: silentLog,
  });
  try {
    const context = { store, identity: openKeyFolder(join(of.state, 'keys'), time), ...time };
    const route = keptRoute(of.state, undefined);
    const made: string[] = [];
    for (let code = 0; code < of.count; code += 1)
      made.push(Buffer.from((await addRegistrationCode(context, route)).text().expose()).toString());
    return made;
  } finally {
    await close();
  }
}
