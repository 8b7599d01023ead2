// Further organisations on the control plane and relay of a house: each with its own custodian, agents and home, and nothing of the others'.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createOrganisation, joinAgent } from './enrol.ts';
import { ownEntries, roleCommand, type Entries } from './entries.ts';
import { sandboxWorks } from './house.ts';
import { startAgent, startCustodian, type Ground } from './roles.ts';
import { runningHouse, type House } from './running-house.ts';
import type { StartedProcess } from './started-process.ts';

/** An embedded database comes up and goes down for it. */
const CODE_MS = 120_000;

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
  const files: string[] = [];
  for (let number = 1; number <= count; number += 1) {
    const file = join(folder, `registration-code-${number}`);
    writeFileSync(file, await registrationCode(join(house.root, 'control-plane'), entries), { mode: 0o600 });
    files.push(file);
  }
  await house.restart('control-plane');
  return files;
}

async function registrationCode(state: string, entries: Entries): Promise<string> {
  const args = ['registration-code', '--state', state, '--keys', join(state, 'keys')];
  const [program, ...words] = roleCommand(entries, 'control-plane', args);
  try {
    return (await promisify(execFile)(program, words, { timeout: CODE_MS })).stdout;
  } catch (error) {
    const { killed, stderr } = error as { killed?: boolean; stderr?: string };
    const why = killed === true ? `not within ${CODE_MS / 1000} s` : (stderr ?? '');
    throw new Error(`the control plane made no registration code: ${why}`, { cause: error });
  }
}

/** Starts one more organisation beside that of `first`, whose control plane and relay it uses; stopping it leaves these alone. */
export async function startOrganisation(first: House, options: AnotherOrganisation): Promise<House> {
  const { root, registrationCode, env = {}, entries = ownEntries() } = options;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const environments = { ...env };
  const ground: Ground = { root, entries, env: environments };
  const processes = new Map<string, StartedProcess>();
  const start = (name: string): Promise<StartedProcess> =>
    name === 'custodian' ? startCustodian(ground, first.process('relay')) : startAgent(ground, name);
  const house = runningHouse({ ground, processes, env: environments, start });
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
