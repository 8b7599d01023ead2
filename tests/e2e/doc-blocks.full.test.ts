// Every job file in README and docs is a job that runs.
import assert from 'node:assert/strict';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { CHECKOUT, startHouse, type House } from '../../scripts/house/index.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-docs-'));
const workdir = join(root, 'work');
let house: House;

const blocks = [
  'README.md',
  ...globSync('docs/**/*.md', { cwd: CHECKOUT }),
  ...globSync('examples/**/*.md', { cwd: CHECKOUT }),
].flatMap((page) => {
  const text = readFileSync(join(CHECKOUT, page), 'utf8');
  return [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ''], index) => ({ page, index, block }));
});

before(async () => {
  cpSync(join(CHECKOUT, 'examples/tabular'), workdir, { recursive: true });
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
  const added = await house.cli(['dataset', 'add', 'breast-cancer', join(workdir, 'data'), '--label', 'internal']);
  assert.equal(added.code, 0, added.stderr);
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

test('there are job files in the pages', () => assert.ok(blocks.length > 0));

for (const { page, index, block } of blocks)
  test(`${page}, job file ${index + 1}`, async () => {
    const file = join(workdir, `doc-${index}.yaml`);
    writeFileSync(file, block);
    const { code, stderr } = await house.cli(['launch', '-y', '--json', file]);
    assert.equal(code, 0, stderr);
  });
