// The whole house on one machine: four trust domains as separate processes with separate folders, databases and keys.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { createOrganisation, joinAgent } from './enrol.ts';
import { ownEntries, type Entries } from './entries.ts';
import { occupy } from './occupied.ts';
import { portOf } from './remembered-ports.ts';
import { frontOf, startAgent, startControlPlane, startCustodian, startRelay, type Ground } from './roles.ts';
import { runningHouse, type House } from './running-house.ts';
import type { StartedProcess } from './started-process.ts';

/** What house to build. */
export interface HouseOptions {
  /** Folder of the house; made when absent, continued when not. */
  readonly root: string;
  readonly entries?: Entries;
  readonly agents?: number;
  /** Further agents by name (`agent-…`), each at a site of its own. */
  readonly alone?: readonly string[];
  /** Environment by process name (`control-plane`, `custodian`, `relay`, `agent-1`, …). */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** See {@link Ground}. */
  readonly host?: string;
  readonly prefix?: Ground['prefix'];
  /** Let agents run jobs without a sandbox; default: only where bubblewrap does not work. */
  readonly allowProcess?: boolean;
  readonly onStep?: (step: string) => void;
  /** Called before anything is started, so that who is interrupted can stop what is there by then. */
  readonly onHouse?: (house: House) => void;
  /**
   * Puts something of the caller's in front of control plane and relay: called when one is up, before anybody dials it; all
   * others reach it at `front`, a loopback port that the caller listens on.
   */
  readonly onServer?: (server: StartedProcess, front: number) => Promise<void>;
}

/** Whether bubblewrap makes a sandbox here. */
export function sandboxWorks(): boolean {
  return spawnSync('bwrap', ['--ro-bind', '/', '/', '--unshare-all', 'true'], { stdio: 'ignore' }).status === 0;
}

/** Builds or continues a house; on failure everything that it started is stopped again. */
export async function startHouse(options: HouseOptions): Promise<House> {
  mkdirSync(options.root, { recursive: true, mode: 0o700 });
  const env: Record<string, Readonly<Record<string, string>>> = { ...options.env };
  const ground: Ground = {
    root: options.root,
    entries: options.entries ?? ownEntries(),
    env,
    fronted: options.onServer !== undefined,
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
  };
  const processes = new Map<string, StartedProcess>();
  const start = (name: string): Promise<StartedProcess> => startByName(ground, name, house.process('relay'));
  const house: House = runningHouse({ ground, processes, env, start });
  const release = occupy(options.root);
  const stopped = new AbortController();
  let opening: Promise<void> = Promise.resolve();
  const stop = async (): Promise<void> => {
    stopped.abort();
    // What is on its way up is not in the list yet; it ends itself when it sees the signal.
    await opening.catch(() => {});
    await house.stop();
    release();
  };
  options.onHouse?.({ ...house, stop });
  try {
    opening = openDoors(options, ground, { processes, stopped: stopped.signal });
    await opening;
    return { ...house, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openDoors(
  options: HouseOptions,
  ground: Ground,
  { processes, stopped }: { processes: Map<string, StartedProcess>; stopped: AbortSignal },
): Promise<void> {
  const step = options.onStep ?? (() => {});
  const keep = async (starting: Promise<StartedProcess>): Promise<StartedProcess> => {
    const process = await starting;
    // Whoever stopped the house while this one was starting has not seen it.
    if (stopped.aborted) await process.stop();
    stopped.throwIfAborted();
    processes.set(process.name, process);
    return process;
  };
  const [first, second] = await Promise.allSettled([keep(startControlPlane(ground)), keep(startRelay(ground))]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  const [controlPlane, relay] = [first.value, second.value];
  for (const server of [controlPlane, relay])
    await options.onServer?.(server, await portOf(ground.root, frontOf(server.name)));
  step('control plane and relay are up');
  const custodian = await keep(startCustodian(ground, relay));
  step('custodian is up');
  if (await createOrganisation(ground, controlPlane, custodian))
    step('organisation created, root key and recovery kit written');
  const allowProcess = options.allowProcess ?? !sandboxWorks();
  const numbered = Array.from({ length: options.agents ?? 2 }, (_, at) => ({ name: `agent-${at + 1}` }));
  const alone = (options.alone ?? []).map((name) => ({ name, site: name }));
  for (const { name, ...at } of [...numbered, ...alone]) {
    if (await joinAgent(ground, name, { allowProcess, ...at })) step(`${name} joined`);
    await keep(startAgent(ground, name));
    step(`${name} is up`);
  }
}

function startByName(ground: Ground, name: string, relay: StartedProcess): Promise<StartedProcess> {
  if (name.startsWith('agent-')) return startAgent(ground, name);
  if (name === 'custodian') return startCustodian(ground, relay);
  if (name === 'relay') return startRelay(ground);
  return startControlPlane(ground, name);
}
