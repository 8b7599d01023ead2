// The quickstart's second half: three hospitals, each with its own custodian, agent and rows, train one model that a fourth organisation sums.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { FederationAnswer, PrivacyRow } from '@ringfence/protocol/payload';
import type { Contract } from '@ringfence/protocol/statements';
import { dealRows, SITES } from '../../examples/federation/split.ts';
import { agreeOn, joinMembers, makePeers, type Member, type Members } from '../house/agreed-organisations.ts';
import { CHECKOUT, type House } from '../house/index.ts';
import { said } from '../house/rented-machine.ts';
import { compareModels, type Compared } from './compare.ts';
import type { Progress } from './progress.ts';
import { verifyWire } from './wire.ts';

/** The agent that sums; at a site of its own, since jobs are placed by site. */
export const AGGREGATOR = 'agent-aggregator';

/** What came of the federation. */
export interface FederationRun {
  readonly sites: readonly Member[];
  readonly rounds: number;
  readonly inSum: number;
  readonly privacy: PrivacyRow['contracts'][number] & { readonly delta: number };
  readonly compared: Compared;
  /** Control frames of the sites' custodians and agents. */
  readonly frames: number;
  readonly problems: readonly string[];
}

/** States are those of the control plane, where it knows the job. */
type Status = Omit<FederationAnswer, 'jobs'> & {
  readonly jobs: readonly { readonly job: string; readonly state: string }[];
  readonly privacy: readonly PrivacyRow[];
};

const EXAMPLE = join(CHECKOUT, 'examples/federation');
const LOWEST_ACCURACY = 0.9;
const LOOK_EVERY_MS = 2_000;
const WITHIN_MS = 600_000;

/** Starts the three sites beside `house`, has them agree, and trains unless the model of an earlier start is there. `onSite` hears of each site once it is up. */
export async function federateOnce(
  house: House,
  progress: Progress,
  onSite: (site: House) => void,
): Promise<FederationRun> {
  const root = join(house.root, 'federation');
  const sites = await openSites(house, { root, progress, onSite });
  const { contract, file } = await agree(house, { root, sites, progress });
  const [first] = sites;
  if (first === undefined) throw new Error('a federation has sites');
  const status = await runRounds([{ name: 'host', house }, ...sites], first, { contract, progress });
  const { terms } = await said<{ terms: Contract }>(house, ['contract', 'show', file]);
  const compared = compareModels(terms, await fetchModel(first, contract));
  progress.step('model fetched, and compared with what each site has alone and with all rows in one place');
  const wire = (await Promise.all(sites.map((site) => verifyWire(site.house)))).flat();
  progress.step('journals of the sites verified');
  const newest = status.rounds.find(({ report }) => report?.outcome === 'summed');
  const row = status.privacy[0]?.contracts.find((one) => one.contract === contract);
  if (row === undefined) throw new Error('the ledger does not know of the contract');
  return {
    sites,
    rounds: terms.rounds.count,
    inSum: newest?.report?.survivors.length ?? 0,
    privacy: { ...row, delta: Number(terms.privacy.budget?.delta) },
    compared,
    frames: wire.reduce((sum, { frames }) => sum + frames, 0),
    problems: [
      ...wire.filter(({ ok }) => !ok).map(({ party }) => `the journal of a site's ${party} does not verify`),
      ...(compared.federated >= LOWEST_ACCURACY
        ? []
        : [`federated accuracy ${compared.federated} is below ${LOWEST_ACCURACY}`]),
    ],
  };
}

interface Opening {
  readonly root: string;
  readonly progress: Progress;
  readonly onSite: (site: House) => void;
}

async function openSites(house: House, { root, progress, onSite }: Opening): Promise<Member[]> {
  const sites: Member[] = [];
  await joinMembers(house, {
    root,
    folder: join(root, 'codes'),
    names: Array.from({ length: SITES }, (_, at) => `site-${at + 1}`),
    entries: { kind: 'source' },
    atOnce: true,
    onMember(site) {
      sites.push(site);
      onSite(site.house);
      progress.step(`${site.name} is up: an organisation of its own, with its own custodian, keys and agent`);
    },
  });
  return sites.toSorted((one, other) => one.name.localeCompare(other.name));
}

interface Agreeing {
  readonly root: string;
  readonly sites: readonly Member[];
  readonly progress: Progress;
}

/** Peers, budgets, offers, the contract, signed by all; or what was agreed at an earlier start. */
async function agree(
  house: House,
  { root, sites, progress }: Agreeing,
): Promise<{ readonly contract: string; readonly file: string }> {
  const [peered, agreed] = [join(root, 'peers-made'), join(root, 'agreed.json')];
  if (existsSync(agreed)) return JSON.parse(readFileSync(agreed, 'utf8')) as { contract: string; file: string };
  const folder = join(root, 'exchange');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const host = { name: 'host', house };
  const all: Members = { members: [host, ...sites], host, aggregator: AGGREGATOR, folder, stop: () => house.stop() };
  if (!existsSync(peered)) {
    await makePeers(all.members, folder);
    writeFileSync(peered, '');
    progress.step('all four compared the words of each other’s root keys');
  }
  const dealt = dealRows();
  const contract = await agreeOn(all, {
    plan: readFileSync(join(EXAMPLE, 'plan.yaml'), 'utf8'),
    rows: (_site, index) => dealt.sites[index] ?? '',
    budget: { unit: 'record', epsilon: 4, delta: 1e-5 },
  });
  writeFileSync(agreed, JSON.stringify(contract));
  progress.step('rows sealed at each site, for federations alone; one contract, signed by all four');
  return contract;
}

/** Orders every organisation's jobs and waits for the last round; nothing is ordered anew once the model is there. */
async function runRounds(
  members: readonly Member[],
  first: Member,
  { contract, progress }: { contract: string; progress: Progress },
): Promise<Status> {
  const look = (): Promise<Status> => said<Status>(first.house, ['federation', 'status', contract]);
  let status = await look();
  if (isCommitted(status)) {
    progress.step('trained at an earlier start: once more would take more of the budget');
    return status;
  }
  await Promise.all(members.map(({ house }) => said(house, ['federation', 'start', contract, '--yes'])));
  progress.step('jobs ordered by each organisation');
  const deadline = performance.now() + WITHIN_MS;
  for (let told = 0; !isCommitted(status); status = await look()) {
    const failed = status.jobs.find(({ state }) => state === 'failed' || state === 'cancelled');
    if (failed !== undefined) throw new Error(`job ${failed.job} of ${first.name} ended as ${failed.state}`);
    if (performance.now() > deadline) throw new Error('the federation did not end in time');
    const rounds = summedRounds(status);
    if (rounds > told) progress.quote(`round ${rounds}: summed\n`);
    told = rounds;
    await pause(LOOK_EVERY_MS);
  }
  progress.step(`${summedRounds(status)} rounds summed, the model committed at each site's custodian`);
  return status;
}

function isCommitted({ jobs }: Status): boolean {
  return jobs.some(({ state }) => state === 'succeeded' || state === 'committed');
}

function summedRounds({ rounds }: Status): number {
  return rounds.filter(({ report }) => report?.outcome === 'summed').length;
}

async function fetchModel({ house }: Member, contract: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-federated-'));
  await said(house, ['federation', 'model', contract, '--out', folder]);
  return folder;
}
