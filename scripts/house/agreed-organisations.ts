// Several organisations on one control plane that have named each other as peers and signed one contract.
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registrationCodes, startOrganisation } from './another-organisation.ts';
import type { Entries } from './entries.ts';
import { startHouse } from './house.ts';
import type { House } from './running-house.ts';
import { said } from './rented-machine.ts';

/** An organisation of a federation: its house, and by which name the others know it. */
export interface Member {
  readonly name: string;
  readonly house: House;
}

/** Members and the folder in which they pass files to each other. */
export interface Members {
  readonly members: readonly Member[];
  /** The first member's organisation runs control plane and relay, and the aggregator. */
  readonly host: Member;
  /** The host's agent that sums. */
  readonly aggregator: string;
  readonly folder: string;
  /** Stops everything, those that came last first. */
  stop(): Promise<void>;
}

/** What to start. */
export interface MembersOptions {
  readonly root: string;
  /** Organisations beside the host, on its control plane. */
  readonly others: number;
  /** One more, the last, on a control plane and relay of its own. */
  readonly elsewhere?: boolean;
  /** Environment by process name, for each organisation. */
  readonly env?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Organisations on one control plane, or one of them elsewhere, each with a custodian and one agent; peers of each other. */
export async function startMembers({ root, others, elsewhere = false, env = {} }: MembersOptions): Promise<Members> {
  const first = await startHouse({ root: join(root, 'host'), agents: 1, env });
  const host = { name: 'host', house: first };
  const folder = join(root, 'exchange');
  const joined: Member[] = [];
  const stop = async (): Promise<void> => {
    for (const { house } of joined.toReversed()) await house.stop();
    await first.stop();
  };
  try {
    const names = Array.from({ length: others }, (_, at) => `org-${at + 1}`);
    await joinMembers(first, { root, folder, names, env, onMember: (member) => joined.push(member) });
    if (elsewhere)
      joined.push({ name: 'elsewhere', house: await startHouse({ root: join(root, 'elsewhere'), agents: 1, env }) });
    const members = [host, ...joined];
    await makePeers(members, folder);
    return { members, host, aggregator: 'agent-1', folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Organisations that come to a house. */
export interface JoiningMembers {
  /** Each has a folder of its name in it. */
  readonly root: string;
  /** Where files are passed on. */
  readonly folder: string;
  readonly names: readonly string[];
  readonly env?: MembersOptions['env'];
  readonly entries?: Entries;
  /** Whether they start at once, which a machine with nothing else to do is faster with. */
  readonly atOnce?: boolean;
  /** Hears of each once it is up. */
  readonly onMember: (member: Member) => void;
}

/** Starts or continues organisations beside that of `first`, on its control plane and relay. */
export async function joinMembers(first: House, joining: JoiningMembers): Promise<void> {
  const { root, folder, names, env = {}, entries } = joining;
  const given = entries === undefined ? {} : { entries };
  const kept = names.map((_, at) => join(folder, `registration-code-${at + 1}`));
  const codes = kept.every((file) => existsSync(file))
    ? kept
    : await registrationCodes(first, { folder, count: names.length, ...given });
  const start = async (name: string, at: number): Promise<void> => {
    const registrationCode = codes[at] ?? '';
    const house = await startOrganisation(first, { root: join(root, name), registrationCode, env, ...given });
    joining.onMember({ name, house });
  };
  if (joining.atOnce !== true) for (const [at, name] of names.entries()) await start(name, at);
  else await allOf(names.map(start));
}

/** Waits for all, also where one fails: what another has started by then is known. */
async function allOf<T>(works: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(works);
  return Promise.all(works);
}

/** The flags by which an organisation's root key signs. */
export function rootOf({ root, home }: House): string[] {
  return ['--root-key-file', join(home, 'root-key.sealed'), '--passphrase-file', join(root, 'root-passphrase')];
}

/** Each compares the words of all others' roots. */
export async function makePeers(members: readonly Member[], folder: string): Promise<void> {
  const card = async ({ name, house }: Member) => {
    const file = join(folder, `${name}.peer`);
    const { words } = await said<{ words: string }>(house, ['peer', 'card', '--name', name, '--out', file]);
    return { name, file, words };
  };
  const cards = await allOf(members.map(card));
  const compare = async ({ name, house }: Member): Promise<void> => {
    for (const { name: other, file, words } of cards)
      if (other !== name) await said(house, ['peer', 'add', file, '--words', words, ...rootOf(house)]);
  };
  await allOf(members.map(compare));
}

/** What is agreed on. */
export interface Agreement {
  /** The text of the plan. */
  readonly plan: string;
  /** The CSV that a member other than the host trains on. */
  readonly rows: (member: Member, index: number) => string;
  readonly label?: 'public' | 'internal' | 'confidential' | 'restricted';
  /** What may be lost of each dataset, which jobs of federations alone mount then. */
  readonly budget?: { readonly unit: 'record' | 'organisation'; readonly epsilon: number; readonly delta: number };
}

/** A contract as its members have it. */
export interface Agreed {
  readonly file: string;
  readonly contract: string;
}

/** Adds a dataset `rows` at each member but the host, drafts the contract of the plan with the host’s agent as aggregator, and has all sign it. */
export async function agreeOn(all: Members, agreement: Agreement): Promise<Agreed> {
  const { members, host, folder, aggregator } = all;
  const hostOffer = join(folder, 'host.offer');
  await said(host.house, ['contract', 'offer', '--name', host.name, '--aggregator', aggregator, '--out', hostOffer]);
  const others = members.filter((other) => other !== host);
  const offers = await allOf(others.map((member, index) => offerRows(all, agreement, { member, index })));
  const [plan, file] = [join(folder, 'plan.yaml'), join(folder, 'study.contract')];
  writeFileSync(plan, agreement.plan);
  const flags = [hostOffer, ...offers].flatMap((offer) => ['--offer', offer]);
  const drafted = await said<{ contract: string }>(host.house, ['contract', 'draft', plan, ...flags, '--out', file]);
  await signByAll(members, file);
  return { file, contract: drafted.contract };
}

async function offerRows(
  { folder }: Members,
  { rows, label = 'internal', budget }: Agreement,
  { member, index }: { member: Member; index: number },
): Promise<string> {
  const { name, house } = member;
  const [csv, offer] = [join(folder, `${name}/rows.csv`), join(folder, `${name}.offer`)];
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(csv, rows(member, index));
  await said(house, ['dataset', 'add', 'rows', csv, '--label', label]);
  if (budget !== undefined) {
    const bound = ['--epsilon', String(budget.epsilon), '--delta', String(budget.delta)];
    await said(house, ['dp', 'budget', 'rows', '--unit', budget.unit, ...bound]);
    await said(house, ['dataset', 'contract-only', 'rows']);
  }
  const at = ['--dataset', 'rows', '--agent', 'agent-1', '--columns-from', csv];
  await said(house, ['contract', 'offer', '--name', name, ...at, '--out', offer]);
  return offer;
}

/** The file goes round: each member signs it and passes it on; then those that signed before the last take over all signatures. */
export async function signByAll(members: readonly Member[], file: string): Promise<void> {
  for (const { house } of members) await said(house, ['contract', 'sign', file, '--yes']);
  const again = async ({ name, house }: Member): Promise<void> => {
    const copy = `${file}.${name}`;
    copyFileSync(file, copy);
    await said(house, ['contract', 'sign', copy, '--yes']);
  };
  await allOf(members.slice(0, -1).map(again));
}
