// What an owner does once: the organisation, then each server, with the CLI's own commands.
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli, type CliCall, type CliResult } from './run-cli.ts';
import { stateOf, text, type Ground } from './roles.ts';
import type { StartedProcess } from './started-process.ts';

/** The CLI's home of this house. */
export function homeOf(ground: Ground): string {
  return join(ground.root, 'home');
}

/** How the CLI runs in this house. */
export function cliOf(ground: Ground): Pick<CliCall, 'entries' | 'home' | 'prefix'> {
  const prefix = ground.prefix?.['cli'];
  return { entries: ground.entries, home: homeOf(ground), ...(prefix === undefined ? {} : { prefix }) };
}

/** Runs the CLI in this house and throws with its words when it fails. */
async function cliOrThrow(ground: Ground, args: readonly string[], input?: string): Promise<CliResult> {
  const result = await runCli({ ...cliOf(ground), args, ...(input === undefined ? {} : { input }) });
  if (result.code !== 0)
    throw new Error(`ringfence ${args.slice(0, 2).join(' ')} failed (${result.code}):\n${result.stderr}`);
  return result;
}

/** Creates the organisation unless this house has one. The root's passphrase lies beside it: a house is for trying and testing. */
export async function createOrganisation(
  ground: Ground,
  controlPlane: StartedProcess,
  custodian: StartedProcess,
): Promise<boolean> {
  if (custodian.ready['claimed'] === true && existsSync(join(homeOf(ground), 'profile.json'))) return false;
  const passphrase = join(ground.root, 'root-passphrase');
  if (!existsSync(passphrase)) writeFileSync(passphrase, randomBytes(18).toString('base64url'), { mode: 0o600 });
  const files = [
    '--claim-code-file',
    text(custodian, 'claim_code_file'),
    '--registration-code-file',
    text(controlPlane, 'registration_code_file'),
    '--passphrase-file',
    passphrase,
    '--kit-file',
    join(ground.root, 'recovery-kit.txt'),
  ];
  await cliOrThrow(ground, ['org', 'init', '--name', 'quickstart', ...files]);
  return true;
}

/** Joins the agent called `name` unless it has joined. */
export async function joinAgent(
  ground: Ground,
  name: string,
  options: { allowProcess: boolean; site?: string },
): Promise<boolean> {
  const state = stateOf(ground, name);
  if (existsSync(join(state, 'joined.json'))) return false;
  const code = await cliOrThrow(ground, [
    'agent',
    'join-code',
    '--name',
    name,
    '--site',
    options.site ?? 'this-machine',
  ]);
  // On the server itself, wherever that is.
  const there = { ...ground, prefix: { cli: ground.prefix?.[name] ?? [] } };
  await cliOrThrow(
    there,
    ['agent', 'join', '--state', state, ...(options.allowProcess ? ['--allow-process'] : [])],
    code.stdout,
  );
  return true;
}
