// A job that looks around: it reads no root-only file, no agent key, no other job's folder, and reaches no network.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stateOf, type House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-sandboxed-'));
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'data'));
  writeFileSync(join(root, 'data', 'rows.csv'), 'a,b\n');
  const added = await house.cli(['dataset', 'add', 'rows', join(root, 'data'), '--label', 'internal']);
  assert.equal(added.code, 0, added.stderr);
});

after(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Runs a shell script as a job and returns what it printed. */
async function run(name: string, script: string): Promise<string> {
  const file = join(root, `${name}.yaml`);
  const indented = script
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n');
  writeFileSync(
    file,
    `name: ${name}\nworkdir: empty\nrun: |\n${indented}\nmounts: {/data: {dataset: rows}}\nprivacy: {isolation: sandbox}\n`,
  );
  mkdirSync(join(root, 'empty'), { recursive: true });
  const { code, stdout, stderr } = await house.cli(['launch', '-y', '--json', file]);
  assert.equal(code, 0, `${stderr}\n${stdout}`);
  const events = stdout
    .trim()
    .split('\n')
    .map((line): { event: string; text?: string } => JSON.parse(line));
  return events
    .filter(({ event }) => event === 'log')
    .map(({ text }) => text)
    .join('\n');
}

test('files of root, of the agent and of other jobs are not there to be read', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const agent = stateOf({ root: house.root, entries: { kind: 'source' }, env: {} }, 'agent-1');
  const seen = await run(
    'files',
    `for path in /etc/shadow /root ${agent} ${house.root} /home /var/lib/ringfence; do\n  if cat "$path" >/dev/null 2>&1 || ls "$path" >/dev/null 2>&1; then echo "READ $path"; fi\ndone\necho looked`,
  );
  assert.equal(seen, 'looked');
});

test('the dataset can be read and not written, and nothing but outputs and scratch can', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const seen = await run(
    'writes',
    'cat /data/rows.csv\nfor path in /data/rows.csv /data/new /usr/new /etc/new; do\n  if (echo x >> "$path") 2>/dev/null; then echo "WROTE $path"; fi\ndone\necho tried',
  );
  assert.equal(seen, 'a,b\ntried');
});

test('a listener on the host’s loopback cannot be reached, and there is no other interface', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const server = createServer().listen(0, '127.0.0.1');
  const reached: string[] = [];
  server.on('connection', (socket) => {
    reached.push('reached');
    socket.destroy();
  });
  try {
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    assert.ok(address !== null && typeof address === 'object');
    const script = `node -e "const s=require('net').connect(${address.port},'127.0.0.1');s.on('connect',()=>console.log('CONNECTED'));s.on('error',e=>console.log(e.code))"\ntail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '`;
    assert.equal(await run('network', script), 'ECONNREFUSED\nlo');
    assert.deepEqual(reached, []);
  } finally {
    server.close();
  }
});

test('it runs as nobody, without capabilities, behind a system-call filter', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const status = await run(
    'identity',
    'id -u\ngrep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status | tr -d "\\t"',
  );
  assert.equal(status, '65534\nCapEff:0000000000000000\nNoNewPrivs:1\nSeccomp:2');
});

test('a stopped job’s program has its grace: it writes a checkpoint before the shell ends', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const script = `console.log('started');setInterval(()=>{},1000);process.on('SIGTERM',()=>setTimeout(()=>{console.log('checkpoint written');process.exit(0)},500))`;
  const file = join(root, 'checkpoint.yaml');
  writeFileSync(file, `name: checkpoint\nworkdir: empty\nrun: |\n  node -e "${script}"\n  echo AFTER\n`);
  const ordered = await house.cli(['launch', '-y', '-d', '--json', file]);
  assert.equal(ordered.code, 0, ordered.stderr);
  const deadline = performance.now() + 30_000;
  const log = async (): Promise<string> => (await house.cli(['logs', 'checkpoint'])).stdout;
  while (!(await log()).includes('started')) assert.ok(performance.now() < deadline, 'the job did not start');
  assert.equal((await house.cli(['stop', 'checkpoint', '--grace', '10s'])).code, 0);
  while (!(await house.cli(['status', 'checkpoint'])).stdout.includes('cancelled'))
    assert.ok(performance.now() < deadline, 'the job did not end');
  const said = await log();
  assert.match(said, /checkpoint written/);
  assert.doesNotMatch(said, /AFTER/, 'nothing of the script ran after the stop');
});

test('why it ran there is on record: its receipt is kept, verified without a network, and refused when a byte of it is not as signed', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  await run('recorded', 'true');
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await house.cli([...args, '--json']);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const { job, receipt, now } = await json('why', 'recorded');
  assert.deepEqual([receipt.job, receipt.considered, receipt.feasible, now], [job, 1, 1, null]);
  const { offers } = await json('offers', '--explain');
  assert.equal(offers[0].offer, receipt.chosen.offer);
  const there = await json('why-not', job, receipt.chosen.offer);
  assert.equal(there.fits, true);
  const file = join(root, 'receipt.json');
  assert.equal((await json('receipt', 'get', 'recorded', '--out', file)).receipt.job, job);
  assert.deepEqual((await json('receipt', 'verify', file)).receipt, receipt);
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"payload":"./, '"payload":"A'));
  const changed = await house.cli(['receipt', 'verify', file]);
  assert.equal(changed.code, 1);
  assert.match(changed.stderr, /check-failed|not as it was signed/);
});
