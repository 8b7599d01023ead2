// A stranger's machine runs what may go to strangers, in gVisor alone; nothing else goes there, and it is nobody of another tier.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { ownEntries } from '../../scripts/house/entries.ts';
import { startHouse, stateOf, type House } from '../../scripts/house/index.ts';
import { keyOf, openMarket, rentMachine, said, type Market } from '../../scripts/house/rented-machine.ts';
import { missing } from '../../scripts/needs.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-community-'));
after(() => rmSync(root, { recursive: true, force: true }));

interface Plan {
  readonly considered: number;
  readonly chosen: { readonly agent: string; readonly tier: string; readonly isolation: string } | null;
  readonly refused: readonly { readonly constraint: string; readonly count: number }[];
}

/** A job file with these fields of `privacy`. */
function jobFile(name: string, privacy: string): string {
  mkdirSync(join(root, 'jobs'), { recursive: true });
  const file = join(root, `jobs/${name}.yaml`);
  writeFileSync(file, `name: ${name}\nrun: cat /proc/version\nprivacy: {${privacy}}\n`);
  return file;
}

async function planOf(house: House, file: string, holds: (plan: Plan) => boolean): Promise<Plan> {
  let plan: Plan | undefined;
  await until(async () => {
    plan = await said<Plan>(house, ['plan', file]);
    return holds(plan);
  }, `the plan of ${file}`);
  return plan ?? assert.fail();
}

const PUBLIC = jobFile('for-anybody', 'sensitivity: public, place: {tiers: [community-cloud]}');

async function runsThere(house: House, stranger: string): Promise<void> {
  const { chosen } = await planOf(house, PUBLIC, (plan) => plan.chosen !== null);
  assert.equal(chosen?.agent, stranger);
  assert.deepEqual([chosen.tier, chosen.isolation], ['community-cloud', 'gvisor']);
  const ran = await house.cli(['launch', '-y', PUBLIC], { within: 180_000 });
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  // gVisor's own kernel says so.
  assert.match(ran.stdout + ran.stderr, /Linux version 4\.4\.0/);
}

/** The machine itself brings papers that hold for longer; the control plane hears of it. */
async function renewsItself({ house, folder, entries }: Market, agent: string): Promise<void> {
  const until90 = await admittedUntil(house, agent);
  const [admission, out] = [join(folder, 'admission.json'), join(folder, 'renewed.json')];
  const old = ['--renews', join(folder, 'stranger-machine.json'), '--admission', admission, '--valid', '180d'];
  await said(house, ['provider', 'certify', ...old, ...keyOf(folder, 'authority'), '--out', out]);
  const state = stateOf({ root: house.root, entries, env: {} }, 'stranger');
  await said(house, ['agent', 'renew', '--state', state, '--admission', admission, '--machine', out]);
  await until(async () => (await admittedUntil(house, agent)) - until90 > 89 * 86_400_000, 'the renewal is known');
}

async function admittedUntil(house: House, agent: string): Promise<number> {
  const { offers } = await said<{ offers: { agent: string; admittedUntil: number }[] }>(house, ['offers']);
  return offers.find((offer) => offer.agent === agent)?.admittedUntil ?? assert.fail();
}

/** Where nothing else is, each of these goes nowhere rather than there. */
async function nothingElseGoesThere(house: House): Promise<void> {
  const elsewhere = jobFile('elsewhere', 'sensitivity: public, place: {tiers: [private, secure-cloud]}');
  const kept = await planOf(house, elsewhere, ({ considered }) => considered > 0);
  assert.equal(kept.chosen, null);
  assert.deepEqual(kept.refused, [{ constraint: 'tier', count: kept.considered }]);
  const inner = jobFile('inner', 'sensitivity: internal, place: {tiers: [community-cloud]}');
  const refused = await house.cli(['launch', '-y', inner]);
  assert.notEqual(refused.code, 0, 'internal data goes to no strangers');
}

/** A machine that joins for strangers with the papers of the other tier. */
async function isNobodyOfAnotherTier(house: House, secure: Market): Promise<void> {
  await assert.rejects(
    rentMachine({ ...secure, tier: 'community-cloud' }, 'disguised', {}),
    /no admitter of its tier/,
    'an authority of secure-cloud vouches for no machine of the other tier',
  );
}

test(
  'a community machine with gVisor runs a public job, and gets no other',
  { skip: missing('full', 'root', 'runsc') },
  async () => {
    const house = await startHouse({ root: join(root, 'house'), agents: 0 });
    const running: { stop(): Promise<unknown> }[] = [];
    try {
      const market = await openMarket(house, join(root, 'market'), ownEntries(), 'community-cloud');
      const weak = await rentMachine(market, 'weak', { RINGFENCE_ISOLATION: 'sandbox' });
      running.push(await weak.start());
      const lacking = await planOf(house, PUBLIC, ({ considered }) => considered === 1);
      assert.equal(lacking.chosen, null);
      assert.deepEqual(lacking.refused, [{ constraint: 'isolation', count: 1 }], 'without gVisor it takes nothing');

      const stranger = await rentMachine(market, 'stranger', { RINGFENCE_ISOLATION: 'gvisor' });
      running.push(await stranger.start());
      await planOf(house, PUBLIC, ({ considered }) => considered === 2);
      await runsThere(house, stranger.agent);
      await renewsItself(market, stranger.agent);
      await nothingElseGoesThere(house);
      await isNobodyOfAnotherTier(house, await openMarket(house, join(root, 'secure')));
    } finally {
      for (const process of running) await process.stop();
      await house.stop();
    }
  },
);
