// Files of other platforms, as examples/moving-over has them, are launched as they are.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startHouse, type House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';

const EXAMPLES = join(import.meta.dirname, '../../examples/moving-over');
const root = mkdtempSync(join(tmpdir(), 'ringfence-moving-'));
let house: House;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Launches a file and returns what its job printed. */
async function printedBy(file: string): Promise<string[]> {
  const { code, stdout, stderr } = await house.cli(['launch', '-y', '--json', join(EXAMPLES, file)]);
  assert.equal(code, 0, `${stderr}\n${stdout}`);
  const events = stdout
    .trim()
    .split('\n')
    .map((line): { event: string; text?: string } => JSON.parse(line));
  return events.flatMap(({ event, text }) => (event === 'log' && text !== undefined ? [text] : []));
}

test('a FedML job runs', async (t) => {
  if (!need(t, 'full')) return;
  const printed = await printedBy('fedml/job.yaml');
  assert.ok(printed.includes('bootstrap finished'), printed.join('\n'));
  assert.ok(printed.some((line) => /^run job_[a-h]/.test(line)));
  assert.ok(printed.some((line) => line.startsWith('hello from FedML, in /')));
});

test('a SkyPilot task runs, in bash, and its bucket is an artifact', async (t) => {
  if (!need(t, 'full')) return;
  assert.ok((await printedBy('skypilot/task.yaml')).includes('hello from SkyPilot, node 0'));
  const out = join(root, 'fetched');
  const fetched = await house.cli(['artifact', 'get', 'moved-from-skypilot', '--out', out]);
  assert.equal(fetched.code, 0, fetched.stderr);
  assert.equal(readFileSync(join(out, 'greeting'), 'utf8'), 'hello from SkyPilot, node 0\n');
});

test('a dstack task runs', async (t) => {
  if (!need(t, 'full')) return;
  const printed = await printedBy('dstack/.dstack.yml');
  assert.ok(printed.includes('a file beside the configuration'), printed.join('\n'));
  assert.ok(printed.includes('hello from dstack, node 0 of 1'));
});

test('what cannot be carried refuses the launch by name, unless it is left out by name', async (t) => {
  if (!need(t, 'full')) return;
  mkdirSync(join(root, 'task'));
  const file = join(root, 'task/task.yaml');
  writeFileSync(file, 'num_nodes: 1\nrun: echo left\nvolumes: {/v: private-volume-name}\nname: left\n');
  const refused = await house.cli(['launch', '-y', file]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /line 3: volumes: needed/);
  assert.doesNotMatch(refused.stderr, /private-volume-name/);
  const { code, stderr } = await house.cli(['launch', '-y', file, '--leave-out', 'volumes']);
  assert.equal(code, 0, stderr);
});
