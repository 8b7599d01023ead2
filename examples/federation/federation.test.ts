// The rows as they are dealt, and the programs of the examples at the agent's own socket: each learns from the rows of its site.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '@ringfence/base/platform';
import { parsePlanFile } from '@ringfence/protocol/federation';
import { JobSocket, SOCKET_NAME } from '../../apps/agent/src/federation/job-socket/job-socket.ts';
import { need } from '../../scripts/needs.ts';
import { FEATURES } from '../tabular/cell-nuclei.ts';
import { dealRows } from './split.ts';

const PARAMETERS = FEATURES.length + 1;
const ROUNDS = 4;
const MOVED = join(import.meta.dirname, '../moving-over/flower');

test('every row is at one site or held out, and each site has rows of both classes', () => {
  const { sites, heldOut } = dealRows();
  const all = [...sites, heldOut].map((csv) => csv.trimEnd().split('\n').slice(1));
  assert.deepEqual(
    all.map(({ length }) => length),
    [152, 152, 152, 113],
  );
  for (const rows of all)
    for (const word of ['malignant', 'benign']) assert.ok(rows.filter((row) => row.endsWith(word)).length > 40);
});

test('the plans read as plans, and the first names every column of the rows', () => {
  const plan = parsePlanFile(readFileSync(join(import.meta.dirname, 'plan.yaml'), 'utf8'));
  assert.deepEqual(
    plan.data?.features?.map(({ column }) => column),
    FEATURES,
  );
  assert.equal(
    parsePlanFile(readFileSync(join(import.meta.dirname, 'own/plan.yaml'), 'utf8')).own?.parameters,
    PARAMETERS,
  );
});

/** Accuracies that a program told in each round, its updates being added to the model. */
async function accuraciesOf(
  t: TestContext,
  program: string,
  edit: (text: string, data: string) => string,
): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-example-'));
  const data = join(folder, 'data');
  mkdirSync(data);
  writeFileSync(join(data, 'rows.csv'), dealRows().sites[0] ?? '');
  const script = join(folder, 'train.py');
  writeFileSync(script, edit(readFileSync(program, 'utf8'), data));
  const socket = new JobSocket({ rounds: ROUNDS, parameters: PARAMETERS, clock: systemClock });
  await socket.listenIn(join(folder, 'federation'), null);
  t.after(() => {
    socket.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const env = {
    ...process.env,
    PYTHONPATH: join(import.meta.dirname, '../../sdk/python'),
    RINGFENCE_FEDERATION: join(folder, 'federation', SOCKET_NAME),
    OMP_NUM_THREADS: '1',
  };
  const child = spawn('/usr/bin/python3', [script, '--data', data], { env });
  t.after(() => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const accuracies: number[] = [];
  let model = new Float32Array(PARAMETERS);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const shown = socket.show({ round, task: 'train', model, config: {} }, new AbortController().signal);
    const update = await Promise.race([shown, closed]);
    assert.ok(typeof update === 'object' && update !== null, said);
    assert.equal(update.examples, 152);
    accuracies.push(update.metrics['accuracy'] ?? 0);
    model = model.map((value, at) => value + (update.values[at] ?? 0));
  }
  socket.finish();
  assert.equal(await closed, 0, said);
  return accuracies;
}

test('code of one’s own learns round by round', async (t) => {
  if (!need(t, 'sklearn')) return;
  const accuracies = await accuraciesOf(t, join(import.meta.dirname, 'own/train.py'), (text) => text);
  assert.ok((accuracies[0] ?? 1) < 0.7 && (accuracies.at(-1) ?? 0) > 0.9, accuracies.join(' '));
});

test('a client of Flower’s is moved over by at most ten changed lines, and learns', async (t) => {
  if (!need(t, 'sklearn')) return;
  const [before, after] = ['before.py', 'client.py'].map((name) => readFileSync(join(MOVED, name), 'utf8').split('\n'));
  const changed = [
    ...(before ?? []).filter((line) => !after?.includes(line)),
    ...(after ?? []).filter((line) => !before?.includes(line)),
  ];
  assert.ok(changed.length >= 2 && changed.length <= 10, changed.join('\n'));
  const accuracies = await accuraciesOf(t, join(MOVED, 'client.py'), (text, data) =>
    text.replace('"/data"', `"${data}"`),
  );
  assert.ok((accuracies[0] ?? 1) < 0.7 && (accuracies.at(-1) ?? 0) > 0.9, accuracies.join(' '));
});
