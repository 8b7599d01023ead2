// When own machines are full, work that may leave goes to a rented one within a budget, and comes back when they are not: each step is signed.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import type { PoolView } from '@ringfence/protocol/api';
import { startHouse, type House, type StartedProcess } from '../../scripts/house/index.ts';
import { openMarket, rentMachine, said } from '../../scripts/house/rented-machine.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-burst-'));
const armed = join(root, 'armed');
let house: House;
let rented: StartedProcess;
let agent: string;
let start: () => Promise<StartedProcess>;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
  mkdirSync(join(root, 'empty'));
  const market = await openMarket(house, join(root, 'market'));
  ({ agent, start } = await rentMachine(market, 'rented', { RINGFENCE_PRICE: '1EUR', RINGFENCE_FAULT: `@${armed}` }));
  rented = await start();
});

after(async () => {
  await rented?.stop();
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

interface Status {
  readonly job: string;
  readonly state: string;
  readonly attempts: readonly { readonly attempt: number; readonly agent: string; readonly state: string }[];
}

/** Fills a machine of two processors by itself; `more` are further lines of the job file. */
async function order(name: string, run: string, more: string): Promise<void> {
  const lines = run.split('\n').map((line) => `  ${line}`);
  const file = join(root, `${name}.yaml`);
  const head = `name: ${name}\nworkdir: empty\nmax_duration: 1h\nresources: {cpus: ${processors()}, memory: 64MB}\n`;
  writeFileSync(file, `${head}run: |\n${lines.join('\n')}\n${more}\n`);
  const { code, stdout, stderr } = await house.cli(['launch', '-y', '-d', file]);
  assert.equal(code, 0, stdout + stderr);
}

function processors(): number {
  return readFileSync('/proc/cpuinfo', 'utf8').match(/^processor\s*:/gm)?.length ?? 1;
}

const status = (name: string) => said<Status>(house, ['status', name]);
const pool = () => said<PoolView>(house, ['pool', 'status']);
const logOf = async (name: string, attempt: number) =>
  (await house.cli(['logs', name, '--attempt', String(attempt)])).stdout;

interface Decisions {
  readonly decisions: readonly {
    readonly verified: boolean;
    readonly body: { readonly seq: number; readonly decision: { readonly type: string; readonly deletion?: string } };
  }[];
  readonly deletions: readonly { readonly verified: boolean; readonly body: { readonly agent: string } }[];
}

const decisions = () => said<Decisions>(house, ['pool', 'decisions']);

/** Counts its attempts in its checkpoint; the third one ends it. */
const COUNTS = `n=$(cat /out/ckpt/step 2>/dev/null || echo 0)
echo "began at $n"
[ "$n" -ge 2 ] && exit 0
trap 'exit 143' TERM
echo $((n + 1)) > /out/ckpt/step
while :; do sleep 0.1; done`;

const MAY_LEAVE = 'privacy: {sensitivity: internal, logs: sealed, burst: allowed}';

/** How many checkpoints the custodian has said to keep, by the rented machine's log. */
function stored(): number {
  return readFileSync(rented.logFile, 'utf8').match(/checkpoint\.stored/g)?.length ?? 0;
}

test('jobs leave a full home within the budget, resume after a kill, and come back with a receipt for each step', async () => {
  const waits = ['--high', '2s', '--high-looks', '2', '--low', '1s', '--low-looks', '2'];
  const soon = ['--cooldown', '0s', '--min-lifetime', '1h', '--overhead', '1m', '--most-at-once', '2'];
  const money = ['--budget', '3 EUR', '--period', 'day', '--home-cost', '0.50 EUR'];
  await said(house, ['pool', 'set', ...money, ...waits, ...soon]);
  await until(async () => (await pool()).gate.state === 'closed');

  // Home is full: one that must stay runs, one that must stay waits, one that may leave does.
  await order(
    'holds',
    "trap 'exit 143' TERM\necho up\nwhile :; do sleep 0.1; done",
    'privacy: {place: {tiers: [private]}}',
  );
  await until(async () => (await logOf('holds', 1)).includes('up'), 'home is full');
  await order('stays', 'echo stayed', 'privacy: {sensitivity: restricted}');
  await order(
    'leaves',
    COUNTS,
    `outputs: {/out: {artifact: left}}\nretry: {on: [interruption], max: 5, checkpoint: /out/ckpt}\n${MAY_LEAVE}`,
  );
  await until(async () => (await logOf('leaves', 1)).includes('began at 0'), 'the gate opens, and it runs');
  const [first] = (await status('leaves')).attempts;
  assert.equal(first?.agent, agent);
  assert.deepEqual((await status('stays')).attempts, []);
  const opened = await pool();
  assert.equal(opened.gate.state, 'open');
  assert.deepEqual(
    opened.away.map(({ attempt, reserved }) => [attempt, reserved]),
    [[1, 1_016_667]],
    '61 minutes of 1 EUR an hour',
  );
  const why = await said<{ receipt: { budget?: object } }>(house, ['why', 'leaves']);
  assert.deepEqual(why.receipt.budget, { period: opened.budget.period, reserved: 1_016_667, currency: 'EUR' });

  await refusesLooser();

  // The machine dies with the job on it: the next attempt goes on from the checkpoint, and both reservations stand until the first is over.
  await until(() => stored() === 1, 'its checkpoint is kept');
  rented.kill('SIGKILL');
  await rented.exited;
  rented = await start();
  await until(async () => (await logOf('leaves', 2)).includes('began at 1'), 'it resumes');
  assert.equal((await status('leaves')).attempts.at(-1)?.agent, agent);

  // The load falls. On its way home the machine dies between deleting and saying so.
  writeFileSync(armed, 'deletion-before-journal:1');
  assert.equal((await house.cli(['stop', 'holds'])).code, 0);
  await until(async () => (await status('stays')).state === 'succeeded', 'what had to stay ran at home');
  assert.equal((await pool()).gate.state, 'open', 'for as long as it has to');
  await said(house, ['pool', 'set', '--min-lifetime', '0s']);
  await until(async () => (await status('leaves')).state === 'succeeded', 'what left ends at home');
  assert.match(await logOf('leaves', 3), /began at 2/);
  assert.notEqual((await status('leaves')).attempts.at(-1)?.agent, agent);
  assert.equal((await rented.exited).signal, 'SIGKILL');
  rented = await start();
  await until(async () => (await pool()).offers.length === 0, 'the machine is given back');
  await cameBack();
});

/** A job that calls itself public and mounts restricted data is told so before anything is placed. */
async function refusesLooser(): Promise<void> {
  writeFileSync(join(root, 'rows.csv'), 'a,b\n1,2\n');
  await said(house, ['dataset', 'add', 'patients', join(root, 'rows.csv'), '--label', 'restricted']);
  const file = join(root, 'loose.yaml');
  writeFileSync(
    file,
    'name: loose\nworkdir: empty\nrun: echo out\nmounts: {/data: {dataset: patients}}\nprivacy: {sensitivity: public}\n',
  );
  const before = (await said<{ jobs: object[] }>(house, ['ps'])).jobs.length;
  const { code, stderr } = await house.cli(['launch', '-y', file]);
  assert.equal(code, 1);
  assert.match(stderr, /privacy\.sensitivity/);
  assert.equal((await said<{ jobs: object[] }>(house, ['ps'])).jobs.length, before);
}

async function cameBack(): Promise<void> {
  const found = await decisions();
  assert.ok([...found.decisions, ...found.deletions].every(({ verified }) => verified));
  assert.deepEqual(
    found.decisions.map(({ body }) => body.seq),
    found.decisions.map((_, index) => index + 1),
    'none is missing',
  );
  const steps = found.decisions.map(({ body }) => body.decision);
  assert.deepEqual(
    steps.map(({ type }) => type).filter((type) => type !== 'uncordon'),
    ['open', 'close', 'cordon', 'move', 'ask-deletion', 'shred-keys', 'release'],
  );
  assert.equal(steps.at(-1)?.deletion, 'signed');
  assert.deepEqual(
    found.deletions.map(({ body }) => body.agent),
    [agent],
  );
  const after = await pool();
  assert.deepEqual([after.gate.state, after.away, after.budget.reserved], ['closed', [], 0]);
  assert.ok(after.budget.spent > 0 && after.budget.spent < 3_000_000);
  const report = await said<{ spent: number; runs: number }>(house, ['pool', 'report']);
  assert.equal(report.spent, after.budget.spent);
  // Nothing of the attempts is left on the rented machine, and nothing but what its owner needs at the custodian.
  const left = join(house.root, 'rented', 'attempts');
  assert.deepEqual(existsSync(left) ? readdirSync(left) : [], []);
  assert.match(await logOf('leaves', 1), /began at 0/, 'the sealed log is at the custodian');
  const got = await house.cli(['artifact', 'get', 'left', '--out', join(root, 'left')]);
  assert.equal(got.code, 0, got.stderr);
}
