// A house with one host, one disk and one clock for each of its parts, its processes kept running, and a client session.
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandContext } from '../../apps/cli/src/command.ts';
import type { Session } from '../../apps/cli/src/session.ts';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { openSession, quietContext } from '../kill/armed-house.ts';
import { clockEnvironment } from './clocks.ts';
import { mountDisk, unmountDisk } from './disks.ts';
import type { Place } from './faults.ts';
import { HOSTS, type OnHost } from './hosts.ts';
import { keep, type Keeper } from './keeper.ts';
import type { Targets } from './schedule.ts';

const PROCESSES = ['control-plane', 'relay', 'custodian', 'agent-1', 'agent-2'] as const;
const AGENTS = PROCESSES.filter((name) => name.startsWith('agent-'));

/** A running house that can be broken. */
export interface ChaosHouse extends Place {
  readonly house: House;
  readonly keeper: Keeper;
  readonly context: CommandContext;
  readonly session: Session;
  readonly targets: Targets;
  close(): Promise<void>;
}

/** What the house stands on. */
export interface Site {
  readonly root: string;
  /** Address of the hub. */
  readonly host: string;
  readonly prefix: Readonly<Record<string, readonly string[]>>;
  readonly on: OnHost;
  readonly note: (text: string) => void;
}

/** Starts it; the caller is on the client's host already. */
export async function startChaosHouse({ root, host, prefix, on, note }: Site): Promise<ChaosHouse> {
  // Jobs run as users of their own, below the work folders.
  chmodSync(root, 0o711);
  const at = join(root, 'house');
  mkdirSync(at, { mode: 0o700 });
  const disks = new Map([
    ...['custodian', ...AGENTS].map((name) => [`state of ${name}`, join(at, name)] as const),
    ...AGENTS.map((name) => [`work of ${name}`, join(root, `work-${name}`)] as const),
  ]);
  for (const [name, folder] of disks) mountDisk(folder, name.startsWith('work') ? '0711' : '0700');
  const unmount = (): void => disks.forEach(unmountDisk);
  const env = Object.fromEntries(
    PROCESSES.map((name) => [
      name,
      {
        ...clockEnvironment(at, name),
        ...(name.startsWith('agent-') ? { RINGFENCE_WORK: join(root, `work-${name}`) } : {}),
      },
    ]),
  );
  const house = await startHouse({ root: at, agents: AGENTS.length, host, prefix, env }).catch((error: unknown) => {
    unmount();
    throw error;
  });
  const keeper = keep(house, note);
  const stop = async (): Promise<void> => {
    keeper.end();
    await house.stop();
    unmount();
  };
  const context = quietContext(house);
  const { session, close } = await openSession(context).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const targets = {
    processes: PROCESSES,
    databases: ['control-plane', 'custodian'],
    hosts: HOSTS,
    disks: [...disks.keys()],
  };
  return {
    root: at,
    on,
    disks,
    house,
    keeper,
    context,
    session,
    targets,
    async close() {
      await close();
      await stop();
    },
  };
}
