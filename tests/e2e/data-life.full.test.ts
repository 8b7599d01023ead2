// How long data is kept, how it is taken out and erased, through real processes.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { House } from '../../scripts/house/index.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-data-life-'));
const MARKER = `marker-data-life-${process.pid}`;
const exported = join(root, 'export');
let house: House;

before(async () => {
  house = await sharedHouse();
  for (const folder of ['patients', 'empty']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'patients', 'rows.csv'), `a,b\n${MARKER}\n`);
  writeFileSync(
    join(root, 'job.yaml'),
    'name: counts\nworkdir: empty\nrun: wc -l < /data/rows.csv > /out/count\nmounts: {/data: {dataset: patients}}\noutputs: {/out: {artifact: counted}}\n',
  );
});
after(() => rmSync(root, { recursive: true, force: true }));

async function said(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(words);
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

test('everything is written out, and the folder proves what it is', async () => {
  await said('dataset', 'add', 'patients', join(root, 'patients'), '--label', 'internal');
  await said('launch', '-y', join(root, 'job.yaml'));
  await said('retain', 'patients', '90d', '--logs', '30d');
  const { withheld } = JSON.parse(await said('export', exported, '--json')) as { withheld: { why: string }[] };
  assert.deepEqual([...new Set(withheld.map(({ why }) => why))], ['never-read-back']);
  const lines = readFileSync(join(exported, 'organisation.ndjson'), 'utf8');
  for (const word of ['"counts"', '"patients"', 'wc -l', '"retention"']) assert.ok(lines.includes(word), word);
  assert.ok(!lines.includes('_box'), 'nothing sealed');
  const files = readdirSync(join(exported, 'data'), { recursive: true, encoding: 'utf8' });
  const rows = files.find((name) => name.endsWith('rows.csv')) ?? assert.fail('the data is there');
  assert.ok(readFileSync(join(exported, 'data', rows), 'utf8').includes(MARKER));
  assert.match(await said('export', exported, '--verify'), /^Verified \d+ files/);
});

for (const [what, change] of [
  ['a changed file', () => appendFileSync(join(exported, 'control-plane.ndjson'), '{}\n')],
  ['an added file', () => writeFileSync(join(exported, 'more.txt'), 'more')],
  ['a changed line', () => appendFileSync(join(exported, 'organisation.ndjson'), '\n{}\n')],
] as const)
  test(`${what} is found`, async () => {
    const before = readFileSync(join(exported, 'control-plane.ndjson'));
    const lines = readFileSync(join(exported, 'organisation.ndjson'));
    change();
    const { code, stderr } = await house.cli(['export', exported, '--verify']);
    assert.notEqual(code, 0);
    assert.match(stderr, /was (?:changed|added)|does not end with|not those/);
    writeFileSync(join(exported, 'control-plane.ndjson'), before);
    writeFileSync(join(exported, 'organisation.ndjson'), lines);
    rmSync(join(exported, 'more.txt'), { force: true });
  });

test('what may be lost of data is told, and data for federations alone is launched by nothing else', async () => {
  const budget = (epsilon: string, ...more: string[]) =>
    house.cli(['dp', 'budget', 'patients', '--unit', 'record', '--epsilon', epsilon, '--delta', '1e-5', ...more]);
  const set = await budget('3');
  assert.equal(set.code, 0, set.stderr);
  assert.match(set.stdout, /budget {3}epsilon 3 at delta 0\.00001, unit record\n {2}spent {4}epsilon 0\.0000/);
  assert.match(set.stdout, /not counted: 1 start of job_/, 'the job of before');
  const larger = await budget('4');
  assert.notEqual(larger.code, 0);
  assert.match(larger.stderr, /--raise/);
  const raised = await budget('4', '--raise');
  assert.equal(raised.code, 0, raised.stderr);
  assert.match(await said('dp', 'status', 'patients'), /left {5}epsilon 4\.0000/);
  const { code, stderr } = await house.cli(['dp', 'settle', 'patients']);
  assert.notEqual(code, 0);
  assert.match(stderr, /nothing about this dataset is in doubt/);
  await said('dataset', 'add', 'copied', join(root, 'patients'), '--label', 'internal', '--contract-only');
  const refused = await house.cli(['launch', '-y', join(root, 'job.yaml')]);
  assert.notEqual(refused.code, 0, 'the same bytes are for federations alone');
  assert.match(refused.stderr, /for federations alone/);
  await said('dataset', 'contract-only', 'copied', '--off');
  await said('launch', '-y', join(root, 'job.yaml'));
  const { datasets } = JSON.parse(await said('dp', 'status', 'patients', '--json')) as {
    datasets: { family: string[]; uncounted: { times: number }[] }[];
  };
  assert.deepEqual([datasets[0]?.family, datasets[0]?.uncounted.length], [['copied', 'counted'], 2]);
});

test('an erasure says beforehand what would go and stay, and afterwards what went', async () => {
  const dry = await said('erase', 'patients');
  assert.match(dry, /would go: patients version 1/);
  assert.match(dry, /stays, though made of it: counted version 1/);
  assert.match(await said('dataset', 'ls'), /patients/);
  const report = join(root, 'report.json');
  await said('erase', 'patients', '--derived', '--yes', '--out', report);
  assert.ok('report' in (JSON.parse(readFileSync(report, 'utf8')) as object));
  assert.doesNotMatch(await said('dataset', 'ls'), /patients/);
  assert.match(await said('erase'), /^AT /);
  const { code } = await house.cli(['artifact', 'get', 'counted', '--out', join(root, 'gone')]);
  assert.notEqual(code, 0);
  assert.match(await said('dp', 'status'), /^erased \(art_/m, 'the account outlives the data');
});
