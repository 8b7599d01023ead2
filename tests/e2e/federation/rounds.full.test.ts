// Three organisations and a host, each with processes of its own: jobs are ordered, rounds run, and each gets the model.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { readStatement } from '@ringfence/keyring';
import type { ContractRow, FederationAnswer, PrivacyRow } from '@ringfence/protocol/payload';
import type { House } from '../../../scripts/house/index.ts';
import { said } from '../../../scripts/house/rented-machine.ts';
import { agreeOn, signByAll, startMembers, type Members } from '../../../scripts/house/agreed-organisations.ts';

const PLAN = `name: tumours
purpose: research
model: {kind: softmax}
data: {file: rows.csv, label: diagnosis, classes: [benign, malignant]}
training: {batch: 32, rate: 0.5}
rounds: {count: 3, longest: 1m}
evaluation: {every: 2, held_out: 0.2}
privacy: {unit: organisation, clip: 10}
`;

/** The same with noise, which no evaluation has, for longer than anybody waits. */
const NOISED = PLAN.replace('tumours', 'noised')
  .replace(/evaluation: .*\n/, '')
  .replace('count: 3', 'count: 400')
  .replace('{unit: organisation, clip: 10}', '{unit: record, clip: 1, epsilon: 8, delta: 1e-5}');

/** Two clouds that a line tells apart. */
function rowsOf(index: number): string {
  const lines = Array.from({ length: 40 }, (_, at) => {
    const side = at % 2 === 0 ? 1 : -1;
    const [radius, texture] = [side + ((at * 7 + index) % 10) / 10 - 0.5, side - ((at * 3 + index) % 10) / 10 + 0.5];
    return `${radius.toFixed(2)},${texture.toFixed(2)},${side === 1 ? 'malignant' : 'benign'}`;
  });
  return `radius,texture,diagnosis\n${lines.join('\n')}\n`;
}

/** A fifth of 40 rows at each of three. */
const HELD_OUT = 24;

const root = mkdtempSync(join(tmpdir(), 'ringfence-rounds-'));
let all: Members;
let contract: string;

before(async () => {
  all = await startMembers({ root, others: 3 });
  ({ contract } = await agreeOn(all, { plan: PLAN, rows: (_, index) => rowsOf(index) }));
});
after(async () => {
  await all?.stop();
  rmSync(root, { recursive: true, force: true });
});

const shown = (at: number): Promise<FederationAnswer> =>
  said(all.members[at]?.house ?? assert.fail(), ['federation', 'status', contract]);

test('each organisation orders its part, three rounds are summed, the model is tested amid them and at last, and each has it', async () => {
  for (const { house } of all.members) await said(house, ['federation', 'start', contract, '--yes']);
  try {
    await until(async () => (await shown(1)).rounds.filter(({ report }) => report?.outcome === 'summed').length === 5);
  } catch (error) {
    for (const at of all.members.keys()) console.error(JSON.stringify(await shown(at)));
    throw error;
  }
  const reports = (await shown(1)).rounds
    .toReversed()
    .flatMap(({ report }) => (report?.outcome === 'summed' ? [report] : []));
  const [trained, tested] = [120 - HELD_OUT, HELD_OUT];
  assert.deepEqual(
    reports.map(({ task, survivors, examples }) => [task, survivors.length, examples]),
    [
      [undefined, 3, trained],
      [undefined, 3, trained],
      ['evaluate', 3, tested],
      [undefined, 3, trained],
      ['evaluate', 3, tested],
    ],
  );
  // Of the model that each round began with, zeros at first, of which the loss is log 2.
  const losses = reports.map(({ metrics }) => metrics?.['loss'] ?? assert.fail());
  assert.ok(Math.abs((losses[0] ?? 0) - Math.LN2) < 1e-3, losses.join(' '));
  for (const [later, earlier] of [
    [2, 0],
    [4, 2],
  ] as const)
    assert.ok((losses[later] ?? 9) < (losses[earlier] ?? 0), losses.join(' '));
  assert.equal(reports.at(-1)?.metrics?.['accuracy'], 1, 'rows that nobody trained on, which a line tells apart');
  const { stdout } = await (all.members[1]?.house ?? assert.fail()).cli(['federation', 'status', contract]);
  assert.match(stdout, /3 of 3 summed[\s\S]*Tested {3}2 times, newest in round \d+/);
  for (const [at, { house }] of all.members.entries()) {
    if (at === 0) continue;
    const folder = join(root, `model-${at}`);
    await until(async () => (await house.cli(['federation', 'model', contract, '-o', folder])).code === 0);
    assert.match(
      readFileSync(join(folder, 'model.safetensors')).subarray(8, 200).toString(),
      /ringfence-federation\/1/,
    );
  }
});

/** As `federation status` prints it: states are the control plane's. */
type Status = Omit<FederationAnswer, 'jobs'> & {
  readonly jobs: readonly { readonly state: string }[];
  readonly privacy: readonly PrivacyRow[];
};
const OVER = ['succeeded', 'failed', 'cancelled'];
/** How long after a withdrawal a custodian may still give leave for a round, in milliseconds. */
const STOPS_WITHIN_MS = 10_000;

/** Asserts by what all custodians wrote down that none gave leave for a round later than that after the first member's withdrawal. */
async function stoppedInTime(of: string): Promise<void> {
  const { contracts } = await said<{ contracts: ContractRow[] }>(all.members[1]?.house ?? assert.fail(), [
    'contract',
    'ls',
  ]);
  const [withdrawal] = contracts.find(({ contract: each }) => each === of)?.withdrawals ?? [];
  const { at } = readStatement('contract-withdrawal', withdrawal ?? assert.fail()).claimed;
  const status = (house: House): Promise<FederationAnswer> => said(house, ['federation', 'status', of]);
  const begun = await Promise.all(all.members.map(async ({ house }) => (await status(house)).rounds));
  for (const round of begun.flat()) {
    const late = round.at - at;
    assert.ok(late <= STOPS_WITHIN_MS, `round ${round.round} got leave ${late} ms after the withdrawal`);
  }
}

const isOver = ({ jobs }: Status): boolean => jobs.every(({ state }) => OVER.includes(state));

test('with noise each round is debited, and a withdrawal ends it for all before the next one', async () => {
  const [plan, file] = [join(all.folder, 'noised.yaml'), join(all.folder, 'noised.contract')];
  writeFileSync(plan, NOISED);
  const offers = all.members.flatMap(({ name }) => ['--offer', join(all.folder, `${name}.offer`)]);
  const draft = ['contract', 'draft', plan, '--out', file, ...offers];
  const { contract: noised } = await said<{ contract: string }>(all.host.house, draft);
  await signByAll(all.members, file);
  for (const [at, { house }] of all.members.entries()) {
    const budget = ['--unit', 'record', '--epsilon', '9', '--delta', '1e-5'];
    if (at > 0) await said(house, ['dp', 'budget', 'rows', ...budget]);
    await said(house, ['federation', 'start', file, '--yes']);
  }
  const first = all.members[1]?.house ?? assert.fail();
  const told = (): Promise<Status> => said(first, ['federation', 'status', noised]);
  const summed = ({ rounds }: Status) => rounds.filter(({ report }) => report?.outcome === 'summed').length;
  await until(async () => summed(await told()) >= 2);
  await said(first, ['contract', 'withdraw', noised, '--yes']);
  await until(async () => isOver(await told()));
  await stoppedInTime(noised);
  const last = await told();
  const [account] = last.privacy;
  const row = account?.contracts.find(({ contract: of }) => of === noised) ?? assert.fail();
  assert.equal(row.rounds, last.given);
  assert.ok((row.outsiders ?? 9) < (row.member ?? 0) && (row.member ?? 9) < (row.others ?? 0));
  assert.equal(last.rounds[0]?.report?.examples, undefined, 'noise would not hide them');
  for (const { house } of all.members)
    await until(async () => isOver(await said<Status>(house, ['federation', 'status', noised])));
});
