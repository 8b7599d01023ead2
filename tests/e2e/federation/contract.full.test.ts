// Four organisations with custodians of their own become peers and agree, by the command line alone.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ContractRow } from '@ringfence/protocol/payload';
import { said } from '../../../scripts/house/rented-machine.ts';
import {
  agreeOn,
  rootOf,
  startMembers,
  type Agreed,
  type Members,
} from '../../../scripts/house/agreed-organisations.ts';

const PLAN = `name: tumours
purpose: research
model: {kind: softmax}
data: {file: rows.csv, label: diagnosis, classes: [benign, malignant]}
training: {batch: 32, rate: 0.5}
rounds: {count: 5, longest: 2m}
privacy: {unit: record, clip: 1, epsilon: 8, delta: 1e-5}
`;
const ROWS = 'radius,texture,diagnosis\n1.5,2.5,benign\n3.5,4.5,malignant\n';

const root = mkdtempSync(join(tmpdir(), 'ringfence-contract-'));
let all: Members;
let agreed: Agreed;

before(async () => {
  all = await startMembers({ root, others: 3 });
  agreed = await agreeOn(all, { plan: PLAN, rows: () => ROWS });
});
after(async () => {
  await all?.stop();
  rmSync(root, { recursive: true, force: true });
});

const contractsOf = async (at: number): Promise<readonly ContractRow[]> =>
  (await said<{ contracts: ContractRow[] }>(all.members[at]?.house ?? assert.fail(), ['contract', 'ls'])).contracts;
const verify = (at: number, file: string, more: readonly string[] = []) =>
  (all.members[at]?.house ?? assert.fail()).cli(['contract', 'verify', file, '--json', ...more]);

test('a contract that went round holds at each custodian and by the file alone', async () => {
  for (const at of all.members.keys()) {
    const [row] = await contractsOf(at);
    assert.deepEqual([row?.contract, row?.state, row?.faults], [agreed.contract, 'held', []]);
    for (const more of [[], ['--offline']]) {
      const { code, stdout, stderr } = await verify(at, agreed.file, more);
      assert.equal(code, 0, stderr);
      assert.equal((JSON.parse(stdout) as { holds: boolean }).holds, true);
    }
  }
  const { stdout: text } = await all.host.house.cli(['contract', 'show', agreed.file]);
  for (const word of ['tumours', 'epsilon: 8', 'delta: 0.00001', 'malignant', 'radius', agreed.contract])
    assert.ok(text.includes(word), word);
  const page = join(root, 'contract.html');
  await said(all.host.house, ['contract', 'show', agreed.file, '--html', '--out', page]);
  assert.match(readFileSync(page, 'utf8'), /<title>Contract tumours<\/title>/);
});

test('other code is another contract: nobody has signed it, and every party has to', async () => {
  const { house } = all.host;
  const offers = all.members.flatMap(({ name }) => ['--offer', join(all.folder, `${name}.offer`)]);
  const own = (run: string): string =>
    `${PLAN.replace(/model:.*\ndata:.*\n/, `own: {parameters: 6, code: code, run: "${run}"}\n`).replace('unit: record', 'unit: organisation')}`;
  const files = ['a', 'b'].map((name, at) => {
    const [plan, file] = [join(all.folder, `${name}.yaml`), join(all.folder, `${name}.contract`)];
    writeFileSync(plan, own('python3 train.py'));
    return { plan, file, at };
  });
  rmSync(join(all.folder, 'code'), { recursive: true, force: true });
  mkdirSync(join(all.folder, 'code'));
  for (const { plan, file, at } of files) {
    writeFileSync(join(all.folder, 'code/train.py'), `print(${at})\n`);
    await said(house, ['contract', 'draft', plan, ...offers, '--out', file]);
  }
  const [one, two] = files.map(({ file }) => file);
  await said(house, ['contract', 'sign', one ?? '', '--yes']);
  const diff = await said<{ same: boolean; code: boolean; changes: { path: string }[] }>(house, [
    'contract',
    'diff',
    one ?? '',
    two ?? '',
  ]);
  assert.deepEqual([diff.same, diff.code], [false, true]);
  assert.ok(diff.changes.some(({ path }) => path === 'code.digest'));
  const checked = await verify(0, two ?? '');
  assert.equal(checked.code, 1);
  const { faults } = JSON.parse(checked.stdout.split('\n')[0] ?? '') as { faults: { code: string }[] };
  assert.equal(faults.filter(({ code }) => code === 'signature-missing').length, 4);
});

test('words that were not compared make no peer, and a file whose bytes changed counts for nothing', async () => {
  const [, one, two] = all.members;
  const card = join(all.folder, `${two?.name}.peer`);
  const words = 'babab-babab-babab-babab-babab-babab';
  const house = one?.house ?? assert.fail();
  const refused = await house.cli(['peer', 'add', card, '--words', words, ...rootOf(house)]);
  assert.match(refused.stderr, /not the words/);
  const edited = join(all.folder, 'edited.contract');
  copyFileSync(agreed.file, edited);
  const file = JSON.parse(readFileSync(edited, 'utf8')) as { contract: { payload: string } };
  const terms = Buffer.from(file.contract.payload, 'base64').toString().replace('"epsilon":"8"', '"epsilon":"9"');
  file.contract.payload = Buffer.from(terms).toString('base64');
  writeFileSync(edited, JSON.stringify(file));
  const { code, stdout } = await verify(1, edited);
  assert.equal(code, 1);
  assert.match(stdout, /signature-missing/);
});

test('a member withdraws: it says beforehand what stays, and its custodian lets no round begin', async () => {
  const [, member] = all.members;
  const { house } = member ?? assert.fail();
  const asked = await house.cli(['contract', 'withdraw', 'tumours']);
  assert.notEqual(asked.code, 0);
  assert.match(asked.stderr, /cannot take back models that were sent out/);
  assert.equal((await contractsOf(1)).find(({ contract }) => contract === agreed.contract)?.state, 'held');
  await said(house, ['contract', 'withdraw', agreed.contract, '--yes']);
  assert.equal((await contractsOf(1)).find(({ contract }) => contract === agreed.contract)?.state, 'withdrawn');
  assert.equal(
    (await contractsOf(2)).find(({ contract }) => contract === agreed.contract)?.state,
    'held',
    'until it hears',
  );
});
