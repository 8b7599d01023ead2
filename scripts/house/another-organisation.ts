// Further organisations on the control plane and relay of a house: each with its own custodian, agents and home, and nothing of the others'.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cliOf, createOrganisation, homeOf, joinAgent } from './enrol.ts';
import { ownEntries, roleCommand, type Entries } from './entries.ts';
import { sandboxWorks, type House } from './house.ts';
import { startAgent, startCustodian, type Ground } from './roles.ts';
import { runCli } from './run-cli.ts';
import type { StartedProcess } from './started-process.ts';

/** One more organisation. */
export interface AnotherOrganisation {
  /** Folder of its custodian, agents and home; made when absent. */
  readonly root: string;
  /** A file with the code that {@link registrationCodes} made for it. */
  readonly registrationCode: string;
  readonly agents?: number;
  /** Environment by process name (`custodian`, `agent-1`, …). */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly allowProcess?: boolean;
  readonly entries?: Entries;
}

/**
 * Codes for further organisations, each in a file of its own below `folder`. The control plane of the house is stopped meanwhile: while it runs, its embedded database is
 * its own.
 */
export async function registrationCodes(
  house: House,
  { folder, count, entries = ownEntries() }: { folder: string; count: number; entries?: Entries },
): Promise<string[]> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  await house.process('control-plane').stop();
  const files = Array.from({ length: count }, (_, at) => {
    const state = join(house.root, 'control-plane');
    const args = ['registration-code', '--state', state, '--keys', join(state, 'keys')];
    const [program, ...words] = roleCommand(entries, 'control-plane', args);
    const made = spawnSync(program, words, { encoding: 'utf8', timeout: 120_000 });
    if (made.status !== 0) throw new Error(`no registration code (${made.status}):\n${made.stderr}`);
    const file = join(folder, `registration-code-${at + 1}`);
    writeFileSync(file, made.stdout, { mode: 0o600 });
    return file;
  });
  await house.restart('control-plane');
  return files;
}

/** Starts one more organisation beside that of `first`, whose control plane and relay it uses; stopping it leaves these alone. */
export async function startOrganisation(first: House, options: AnotherOrganisation): Promise<House> {
  const { root, registrationCode, env = {}, entries = ownEntries() } = options;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const ground: Ground = { root, entries, env: { ...env } };
  const processes = new Map<string, StartedProcess>();
  const house = houseOf(first, ground, processes);
  try {
    const custodian = await startCustodian(ground, first.process('relay'));
    processes.set('custodian', custodian);
    const controlPlane = first.process('control-plane');
    const ready = { ...controlPlane.ready, registration_code_file: registrationCode };
    await createOrganisation(ground, { ...controlPlane, ready }, custodian);
    for (let number = 1; number <= (options.agents ?? 1); number += 1) {
      const name = `agent-${number}`;
      await joinAgent(ground, name, { allowProcess: options.allowProcess ?? !sandboxWorks() });
      processes.set(name, await startAgent(ground, name));
    }
    return house;
  } catch (error) {
    await house.stop();
    throw error;
  }
}

function houseOf(first: House, ground: Ground, processes: Map<string, StartedProcess>): House {
  const env: Record<string, Readonly<Record<string, string>>> = ground.env;
  const process = (name: string): StartedProcess => {
    const found = processes.get(name);
    if (found === undefined) throw new Error(`the organisation has no ${name}`);
    return found;
  };
  return {
    root: ground.root,
    home: homeOf(ground),
    processes,
    process,
    cli: (args, more = {}) => runCli({ ...cliOf(ground), args, ...more }),
    async kill(name) {
      process(name).kill('SIGKILL');
      await process(name).exited;
    },
    async restart(name, changed) {
      if (changed !== undefined) env[name] = changed;
      const again =
        name === 'custodian' ? await startCustodian(ground, first.process('relay')) : await startAgent(ground, name);
      processes.set(name, again);
      return again;
    },
    async stop() {
      for (const name of [...processes.keys()].toReversed()) await processes.get(name)?.stop();
      processes.clear();
    },
  };
}
