// Keys from the command line, through real processes: rotated and brought while jobs read the data, then shredded with the whole project.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { startHouse, type House } from '../../scripts/house/index.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-keys-'));
let house: House;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
  for (const folder of ['patients', 'empty']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'patients', 'rows.csv'), 'a,b\n1,2\n3,4\n');
  writeFileSync(
    join(root, 'job.yaml'),
    'name: counts\nworkdir: empty\nrun: grep -c , /data/rows.csv\nmounts: {/data: {dataset: patients}}\n',
  );
});
after(async () => {
  await house.stop();
  rmSync(root, { recursive: true, force: true });
});

async function said(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await house.cli(words);
  assert.equal(code, 0, `${words.join(' ')}: ${stderr}`);
  return stdout;
}

interface Status {
  readonly project: string;
  readonly projectKeys: readonly { version: number; state: string }[];
  readonly rotation: { readonly cause: string; readonly finishedAt: number | null } | null;
}

const status = async (): Promise<Status> => JSON.parse(await said('key', 'status', '--json')) as Status;

test('jobs read the data through a rotation and a key of one’s own', async () => {
  await said('dataset', 'add', 'patients', join(root, 'patients'), '--label', 'internal');
  assert.match(await said('launch', '-y', join(root, 'job.yaml')), /^3$/m);
  await said('key', 'rotate');
  assert.match(await said('launch', '-y', join(root, 'job.yaml')), /^3$/m);
  const file = join(root, 'kek');
  writeFileSync(file, Buffer.alloc(31, 7));
  const { code, stderr } = await house.cli(['key', 'import', '--key-file', file]);
  assert.notEqual(code, 0);
  assert.match(stderr, /31 bytes/);
  writeFileSync(file, Buffer.alloc(32, 7));
  await until(async () => (await status()).rotation?.finishedAt !== null, 'the rotation ends');
  await said('key', 'import', '--key-file', file);
  await until(async () => {
    const { rotation, projectKeys } = await status();
    return rotation?.cause === 'imported' && rotation.finishedAt !== null && projectKeys.at(-1)?.version === 3;
  }, 'the key that was brought is the organisation’s');
  assert.match(await said('key', 'ls'), /^1 +destroyed[^]*^3 +current +built-in 3/m);
  assert.match(await said('launch', '-y', join(root, 'job.yaml')), /^3$/m);
});

test('a shredded project opens nothing, and the tombstone verifies and says so', async () => {
  const { project } = await status();
  const wrong = await house.cli([
    'key',
    'shred',
    'project',
    `${project.slice(0, -1)}${project.endsWith('a') ? 'b' : 'a'}`,
  ]);
  assert.notEqual(wrong.code, 0);
  assert.match(await said('launch', '-y', join(root, 'job.yaml')), /^3$/m);
  const file = join(root, 'tombstone');
  assert.match(await said('key', 'shred', 'project', project, '--out', file), /was shredded at/);
  assert.match(await said('key', 'verify', file), new RegExp(`project ${project} was shredded`));
  const launched = await house.cli(['launch', '-y', join(root, 'job.yaml')]);
  assert.notEqual(launched.code, 0);
  assert.match(launched.stderr, /shredded|no dataset|destroyed/);
  const text = JSON.parse(readFileSync(file, 'utf8')) as { payload: string };
  writeFileSync(file, JSON.stringify({ ...text, payload: Buffer.from('{}').toString('base64') }));
  assert.notEqual((await house.cli(['key', 'verify', file])).code, 0);
});
