// Three organisations and a host, each with processes of its own: jobs are ordered, rounds run, and each gets the model.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import type { FederationAnswer, PrivacyRow } from '@ringfence/protocol/payload';
import { said } from '../../../scripts/house/rented-machine.ts';
import { agreeOn, signByAll, startMembers, type Members } from '../../../scripts/house/agreed-organisations.ts';

const PLAN = `name: tumours
purpose: research
model: {kind: softmax}
data: {file: rows.csv, label: diagnosis, classes: [benign, malignant]}
training: {batch: 32, rate: 0.5}
rounds: {count: 3, longest: 1m}
privacy: {unit: organisation, clip: 10}
`;

/** The same with noise, for longer than anybody waits. */
const NOISED = PLAN.replace('tumours', 'noised')
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

test('each organisation orders its part, three rounds are summed, and each has the model', async () => {
  for (const { house } of all.members) await said(house, ['federation', 'start', contract, '--yes']);
  try {
    await until(async () => (await shown(1)).rounds.filter(({ report }) => report?.outcome === 'summed').length === 3);
  } catch (error) {
    for (const at of all.members.keys()) console.error(JSON.stringify(await shown(at)));
    throw error;
  }
  const { rounds } = await shown(1);
  assert.deepEqual(
    rounds.map(({ report }) => [report?.survivors.length, report?.examples]),
    [
      [3, 120],
      [3, 120],
      [3, 120],
    ],
  );
  assert.ok((rounds[0]?.report?.metrics?.['loss'] ?? 9) < (rounds[2]?.report?.metrics?.['loss'] ?? 0));
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
  const last = await told();
  const [account] = last.privacy;
  const row = account?.contracts.find(({ contract: of }) => of === noised) ?? assert.fail();
  assert.equal(row.rounds, last.given);
  assert.ok((row.outsiders ?? 9) < (row.member ?? 0) && (row.member ?? 9) < (row.others ?? 0));
  assert.equal(last.rounds[0]?.report?.examples, undefined, 'noise would not hide them');
  for (const { house } of all.members)
    await until(async () => isOver(await said<Status>(house, ['federation', 'status', noised])));
});
