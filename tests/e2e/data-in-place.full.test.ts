// Data in place: registered at its site without a copy, mounted read-only there and nowhere else, refused once it has changed.
import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-in-place-'));
const data = join(root, 'srv', 'records');
const MARKER = `marker-in-place-${process.pid}`;
let house: House;
const site = 'this-machine';

before(async () => {
  mkdirSync(join(data, 'deep'), { recursive: true });
  for (const folder of [root, join(root, 'srv'), data, join(data, 'deep')]) chmodSync(folder, 0o755);
  writeFileSync(join(data, 'rows.csv'), `a,b\n${MARKER}\n`);
  writeFileSync(join(data, 'deep', 'more.csv'), 'c,d\n');
  symlinkSync('deep/more.csv', join(data, 'link.csv'));
  mkdirSync(join(root, 'empty'));
  const env = { 'agent-1': { RINGFENCE_DATA_ROOT: join(root, 'srv') } };
  house = await startHouse({ root: join(root, 'house'), agents: 1, env });
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

async function launch(
  name: string,
  script: string,
  isolation = 'sandbox',
): Promise<{ code: number | null; said: string }> {
  const file = join(root, `${name}.yaml`);
  const lines = script.split('\n').map((line) => `  ${line}`);
  writeFileSync(
    file,
    `name: ${name}\nworkdir: empty\nrun: |\n${lines.join('\n')}\nmounts: {/data: {dataset: records}}\nprivacy: {isolation: ${isolation}}\n`,
  );
  const { code, stdout, stderr } = await house.cli(['launch', '-y', file]);
  return { code, said: `${stdout}\n${stderr}` };
}

test('a folder below a listed root is registered without a copy', async () => {
  const added = await house.cli([
    'dataset',
    'add',
    'records',
    '--at',
    `${site}:${data}`,
    '--label',
    'restricted',
    '--json',
  ]);
  assert.equal(added.code, 0, added.stderr);
  const row = JSON.parse(added.stdout) as { files: number; bytes: number; place: { path: string } };
  assert.deepEqual([row.files, row.place.path], [2, data]);
  // What jobs print of it is read below.
  const rule = await house.cli(['release', 'rule', 'add', 'records', '--allow', 'logs,metrics']);
  assert.equal(rule.code, 0, rule.stderr);
});

for (const [isolation, program] of [
  ['sandbox', 'bubblewrap'],
  ['container', 'runc'],
  ['gvisor', 'runsc'],
] as const)
  test(`a job at isolation ${isolation} sees it there, read-only`, async (t) => {
    if (!need(t, program)) return;
    const { code, said } = await launch(
      `looks-${isolation}`,
      'cat /data/rows.csv /data/link.csv\nfor at in /data/rows.csv /data/new /data/deep/more.csv; do (echo x >> $at) 2>/dev/null && echo "WROTE $at"; done\nrm -rf /data/deep 2>/dev/null && echo "WROTE away"\necho done',
      isolation,
    );
    assert.equal(code, 0, said);
    assert.match(said, new RegExp(MARKER));
    assert.match(said, /c,d/);
    assert.doesNotMatch(said, /WROTE/);
    assert.deepEqual(
      new Set(readdirSync(data, { recursive: true, encoding: 'utf8' })),
      new Set(['deep', join('deep', 'more.csv'), 'link.csv', 'rows.csv']),
    );
  });

test('changed data refuses the job, and registering it again is the remedy', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  appendFileSync(join(data, 'rows.csv'), 'changed\n');
  const refused = await launch('after-change', 'cat /data/rows.csv');
  assert.notEqual(refused.code, 0);
  assert.match(refused.said, /data-changed|changed since it was registered/);
  assert.doesNotMatch(refused.said, new RegExp(MARKER));
  const again = await house.cli(['dataset', 'add', 'records', '--at', `${site}:${data}`, '--label', 'restricted']);
  assert.equal(again.code, 0, again.stderr);
  const { code, said } = await launch('after-remedy', 'cat /data/rows.csv');
  assert.equal(code, 0, said);
});

test('what is not below a listed root is not read, by whatever way it is named', async () => {
  symlinkSync('/etc', join(root, 'srv', 'way-out'));
  for (const path of ['/etc', join(root, 'srv', 'way-out'), join(root, 'empty')]) {
    const { code, stderr } = await house.cli([
      'dataset',
      'add',
      'etc',
      '--at',
      `${site}:${path}`,
      '--label',
      'internal',
    ]);
    assert.notEqual(code, 0);
    assert.match(stderr, /not below a folder/);
  }
});
