// A Python job reports its loss by one line; `ringfence metrics` shows it beside what the machine measured.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-job-metrics-'));
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'code'));
});

after(() => {
  rmSync(root, { recursive: true, force: true });
});

const TRAIN = `import ringfence, time
held = bytearray(32_000_000)
for step in range(5):
    ringfence.metric(loss=1 / (step + 1), step=step)
    ringfence.metric({"val/loss": 2.5}, step=step, labels={"split": "held out"})
ringfence.metric(loss=float("nan"))
until = time.monotonic() + 1.5
while time.monotonic() < until:
    pass
`;

interface Series {
  source: string;
  name: string;
  labels: Record<string, string>;
  unit?: string;
  points: { at: number; value: number; step?: number; max?: number }[];
}

async function launch(name: string, run: string): Promise<void> {
  const file = join(root, `${name}.yaml`);
  writeFileSync(file, `name: ${name}\nworkdir: code\nrun: ${run}\nprivacy: {isolation: sandbox}\n`);
  const { code, stdout, stderr } = await house.cli(['launch', '-y', '--json', file]);
  assert.equal(code, 0, `${stderr}\n${stdout}`);
}

async function metrics(name: string): Promise<{ outcome: string; refused: object; series: Series[] }> {
  const { code, stdout, stderr } = await house.cli(['metrics', name, '--json']);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

test('a Python job reports its loss by `import ringfence`, with nothing installed', async (t) => {
  if (!need(t, 'bubblewrap', 'python3')) return;
  writeFileSync(join(root, 'code', 'train.py'), TRAIN);
  await launch('python-loss', '/usr/bin/python3 train.py');
  const { outcome, refused, series } = await metrics('python-loss');
  const find = (source: string, name: string): Series => {
    const found = series.find((one) => one.source === source && one.name === name);
    assert.ok(found, `${source} ${name} in ${JSON.stringify(series)}`);
    return found;
  };
  assert.equal(outcome, 'succeeded');
  assert.deepEqual(
    find('job', 'loss').points.map(({ value, step }) => [step, value]),
    [0, 1, 2, 3, 4].map((step) => [step, 1 / (step + 1)]),
  );
  assert.deepEqual(find('job', 'val/loss').labels, { split: 'held out' });
  assert.deepEqual(refused, { 'not-finite': 1 });
  assert.ok(find('machine', 'memory').points.some(({ value }) => value > 32_000_000));
  assert.ok(find('machine', 'cpu').points.some(({ value }) => value > 0.05));
  assert.equal(find('machine', 'disk').unit, 'bytes');
  const drawn = await house.cli(['metrics', 'python-loss']);
  assert.match(drawn.stdout, /loss +0\.2 +0\.2 +1 +█[▁-▇]{3}▁/);
  assert.match(drawn.stdout, /not taken: 1 not-finite/);
  const exposed = await house.cli(['metrics', 'python-loss', '--prometheus']);
  assert.match(exposed.stdout, /^ringfence_job_val_loss\{job="job_[^"]+",attempt="1",split="held out"\} 2\.5 \d+$/m);
});

test('a TypeScript job imports the twin from the sandbox', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const code = `import { metric } from '/opt/ringfence/sdk/typescript/ringfence.ts';\nmetric({ accuracy: 0.5 }, { step: 7 });\n`;
  writeFileSync(join(root, 'code', 'train.ts'), code);
  await launch('typescript-accuracy', 'node train.ts');
  const { series } = await metrics('typescript-accuracy');
  const [accuracy] = series.filter(({ source }) => source === 'job');
  assert.deepEqual(
    accuracy?.points.map(({ value, step }) => [value, step]),
    [[0.5, 7]],
  );
});
