// Checkpoints: what one attempt left whole is what the next one finds, on another server too, and no result.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { startHouse, type House } from '../../scripts/house/index.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-checkpoint-'));
let house: House;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 2 });
  mkdirSync(join(root, 'empty'));
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Status {
  readonly state: string;
  readonly attempts: readonly { readonly attempt: number; readonly agent: string; readonly state: string }[];
}

async function order(name: string, run: string): Promise<void> {
  const file = join(root, `${name}.yaml`);
  const lines = run.split('\n').map((line) => `  ${line}`);
  writeFileSync(
    file,
    `name: ${name}\nworkdir: empty\nrun: |\n${lines.join('\n')}\noutputs: {/out: {artifact: ${name}}}\n` +
      `retry: {on: [interruption, error], max: 3, checkpoint: /out/ckpt}\n`,
  );
  const { code, stderr } = await house.cli(['launch', '-y', '-d', file]);
  assert.equal(code, 0, stderr);
}

async function status(name: string): Promise<Status> {
  return JSON.parse((await house.cli(['status', name, '--json'])).stdout);
}

async function logOf(name: string, attempt: number): Promise<string> {
  return (await house.cli(['logs', name, '--attempt', String(attempt)])).stdout;
}

/** Which process runs the newest attempt of a job. */
async function whereIs(name: string): Promise<'agent-1' | 'agent-2'> {
  const { agents }: { agents: { agent: string; name: 'agent-1' | 'agent-2' }[] } = JSON.parse(
    (await house.cli(['agent', 'ls', '--json'])).stdout,
  );
  const agent = (await status(name)).attempts.at(-1)?.agent;
  const found = agents.find((row) => row.agent === agent);
  assert.ok(found !== undefined);
  return found.name;
}

/** How many checkpoints the custodian has said to keep, by the agents' logs. */
function stored(): number {
  const logs = ['agent-1', 'agent-2'].map((name) => readFileSync(house.process(name).logFile, 'utf8'));
  return logs.join('').match(/checkpoint\.stored/g)?.length ?? 0;
}

const FIRST = `if [ -f /out/ckpt/step/model ]; then
  echo "resumed from $(cat /out/ckpt/step/model): $(ls -A /out/ckpt | tr '\\n' ' ')"
  echo done > /out/result
  exit 0
fi
mkdir /out/ckpt/step.tmp
echo 41 > /out/ckpt/step.tmp/model
sleep 3
mv /out/ckpt/step.tmp /out/ckpt/step
ln -s /etc/shadow /out/ckpt/latest
echo saved`;

test('an attempt that dies with its agent is resumed by the next one from what was whole', async () => {
  await order('killed', `${FIRST}\nsleep 300`);
  await until(async () => stored() === 1, 'the custodian keeps the checkpoint');
  const first = await whereIs('killed');
  await house.kill(first);
  await until(async () => (await status('killed')).state === 'succeeded', 'another attempt finishes the job');
  const said = await logOf('killed', 2);
  assert.match(said, /^resumed from 41: step $/m, 'without what was unfinished, and without a link');
  const got = await house.cli(['artifact', 'get', 'killed', '--out', join(root, 'killed')]);
  assert.equal(got.code, 0, got.stderr);
  assert.deepEqual(readdirSync(join(root, 'killed')), ['result'], 'a checkpoint is no result');
  await house.restart(first);
});

test('a job that writes its checkpoint when it is asked to stop finds it in the next attempt', async () => {
  const run = `if [ -f /out/ckpt/last ]; then echo "resumed from $(cat /out/ckpt/last)"; exit 0; fi
trap 'echo 17 > /out/ckpt/last; exit 143' TERM
echo up
while :; do sleep 0.1; done`;
  await order('asked', run);
  await until(async () => (await logOf('asked', 1)).includes('up'), 'it runs');
  const first = await whereIs('asked');
  await house.process(first).stop();
  await until(async () => (await status('asked')).state === 'succeeded', 'another attempt finishes the job');
  assert.match(await logOf('asked', 2), /^resumed from 17$/m);
});
