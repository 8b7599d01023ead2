// A market around a house: somebody who admits, a provider and an issuer of evidence, and machines that join through them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownEntries, type Entries } from './entries.ts';
import type { House } from './running-house.ts';
import { startAgent, stateOf, type Ground } from './roles.ts';
import type { StartedProcess } from './started-process.ts';

type AwayTier = 'secure-cloud' | 'community-cloud';

/** Keys and papers of everybody lie in `folder`; the organisation of `house` has pinned admitter and issuer. */
export interface Market {
  readonly house: House;
  readonly folder: string;
  readonly provider: string;
  readonly entries: Entries;
  readonly tier: AwayTier;
}

/** Makes everybody's keys, and has the organisation pin them. Machines run the programs of `entries`. */
export async function openMarket(
  house: House,
  folder: string,
  entries: Entries = ownEntries(),
  tier: AwayTier = 'secure-cloud',
): Promise<Market> {
  const inTier = ['--tier', tier];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, 'passphrase'), 'five random words for a test');
  const admitter = await said<{ key: string }>(house, ['admitter', 'init', ...keyOf(folder, 'admitter')]);
  const issuer = await said<{ key: string }>(house, ['evidence', 'init', ...keyOf(folder, 'issuer')]);
  const init = ['provider', 'init', ...inTier, ...keyOf(folder, 'authority')];
  const { key: authority, provider } = await said<{ key: string; provider: string }>(house, init);
  await said(house, ['keyring', 'add-admitter', admitter.key, ...inTier]);
  await said(house, ['keyring', 'add-issuer', issuer.key, '--standard', 'iso27001']);
  const about = ['--provider', provider, ...inTier, '--authority', authority, '--jurisdiction', 'DE'];
  const out = ['--out', join(folder, 'admission.json')];
  await said(house, ['admitter', 'admit', ...about, ...keyOf(folder, 'admitter'), ...out]);
  return { house, folder, provider, entries, tier };
}

/** A machine that has joined; `start` starts its agent, again after each end. */
export interface RentedMachine {
  readonly agent: string;
  readonly site: string;
  readonly start: () => Promise<StartedProcess>;
}

/** Joins the machine called `name` with its papers, at a site about which there is evidence; its agent runs with `env`. */
export async function rentMachine(
  market: Market,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<RentedMachine> {
  const machine = await joinMachine(market, name, env);
  const evidence = await issueEvidence(market, machine.site);
  await said(market.house, ['provider', 'evidence', 'add', evidence]);
  return machine;
}

/** Joins the machine called `name` with its papers, at a site of the same name; its agent runs with `env`. */
export async function joinMachine(
  { house, folder, entries, tier }: Market,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<RentedMachine> {
  const ground: Ground = { root: house.root, entries, env: { [name]: env } };
  const state = stateOf(ground, name);
  const keys = join(folder, `${name}-keys.json`);
  writeFileSync(keys, (await must(house, ['agent', 'keys', '--state', state])).stdout);
  const admission = join(folder, 'admission.json');
  const machine = join(folder, `${name}-machine.json`);
  const vouch = ['--keys', keys, '--admission', admission, '--jurisdiction', 'DE', '--out', machine];
  const certify = ['provider', 'certify', ...vouch, ...keyOf(folder, 'authority')];
  const { agent, site } = await said<{ agent: string; site: string }>(house, certify);
  const code = await said<{ code: string }>(house, [
    'agent',
    'join-code',
    '--name',
    name,
    '--site',
    name,
    '--tier',
    tier,
  ]);
  const papers = ['--admission', admission, '--machine', machine];
  await must(house, ['agent', 'join', '--state', state, ...papers], code.code);
  return { agent, site, start: () => startAgent(ground, name) };
}

/** Has the issuer sign that a site is certified (ISO 27001, third party); returns the file, which nobody has been given yet. */
export async function issueEvidence({ house, folder, provider }: Market, site: string): Promise<string> {
  const document = join(folder, 'certificate.pdf');
  writeFileSync(document, 'ISO 27001 certificate');
  const evidence = join(folder, `${site}.json`);
  const shown = ['--document', document, '--standard', 'iso27001', '--grade', 'third-party'];
  const scope = ['--site', site, '--provider', provider, '--out', evidence];
  await said(house, ['evidence', 'issue', ...shown, ...scope, ...keyOf(folder, 'issuer')]);
  return evidence;
}

/** Runs the CLI and returns the last value that it says in JSON; throws with its words when it fails. */
export async function said<T>(house: House, args: readonly string[], input?: string): Promise<T> {
  const { stdout } = await must(house, [...args, '--json'], input);
  return (stdout.trim() === '' ? {} : JSON.parse(stdout.trim().split('\n').at(-1) ?? '{}')) as T;
}

async function must(house: House, args: readonly string[], input?: string) {
  const result = await house.cli(args, input === undefined ? {} : { input });
  if (result.code !== 0)
    throw new Error(`ringfence ${args.slice(0, 3).join(' ')} ended with ${result.code}:\n${result.stderr}`);
  return result;
}

/** The flags that open somebody's key: `admitter`, `authority` or `issuer`. */
export function keyOf(folder: string, name: string): string[] {
  return ['--key-file', join(folder, `${name}.key`), '--passphrase-file', join(folder, 'passphrase')];
}
