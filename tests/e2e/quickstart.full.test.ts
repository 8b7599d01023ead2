// The README's first command, as it is written there: a fresh start, and a second one after a dirty stop.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CHECKOUT } from '../../scripts/house/index.ts';
import { endLeftover } from '../../scripts/house/started-process.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-quickstart-'));
const state = join(root, 'state');
const HEARD_WITHIN_MS = 5_000;
const OWN = ['agent-aggregator', 'agent-2', 'agent-1', 'custodian', 'relay', 'control-plane'];
const SITES = ['site-1', 'site-2', 'site-3'].map((site) => join(state, 'federation', site));
after(async () => {
  for (const site of SITES) for (const name of ['agent-1', 'custodian']) await endLeftover(site, name);
  for (const name of OWN) await endLeftover(state, name);
  rmSync(root, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly closed: Promise<number | null>;
  /** Once all that it said has been read, after its end: what its children hold open is not waited for. */
  readonly heard: () => Promise<unknown>;
}

function quickstart(...flags: string[]): Run {
  const child = spawn(process.execPath, [join(CHECKOUT, 'scripts/quickstart.ts'), '--state', state, ...flags]);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  // Not `close`: the processes that a dirty stop leaves behind may hold the pipes.
  const closed = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const drained = new Promise((resolve) => child.once('close', resolve));
  const heard = () => Promise.race([drained, new Promise((resolve) => setTimeout(resolve, HEARD_WITHIN_MS).unref())]);
  return { child, said: () => output, closed, heard };
}

/** Pids that the house and its sites have noted, by file. */
function noted(): Map<string, number> {
  const files = [state, ...SITES].flatMap((root) => {
    const logs = join(root, 'logs');
    return readdirSync(logs).flatMap((file) => (file.endsWith('.pid') ? [join(logs, file)] : []));
  });
  return new Map(files.map((file) => [file, JSON.parse(readFileSync(file, 'utf8')).pid]));
}

/** What explains a failure, the telling lines first: why it ended or what it said last, then the ends of the logs, then all. */
function explain(output: string): string {
  const end = (text: string, count: number): string => text.trimEnd().split('\n').slice(-count).join('\n');
  const logs = join(state, 'logs');
  const files = existsSync(logs) ? readdirSync(logs).filter((file) => file.endsWith('.log')) : [];
  const ends = files.map((file) => `${file}: ${end(readFileSync(join(logs, file), 'utf8'), 2)}`);
  const why = /^quickstart failed: .*$/m.exec(output)?.[0] ?? 'it did not say that it failed';
  return [why, end(output, 4), ...ends, 'in full:', output].join('\n');
}

function assertTrained(output: string): void {
  const accuracy = Number(/accuracy (0\.\d+)/.exec(output)?.[1]);
  assert.ok(accuracy >= 0.95, explain(output));
  assert.match(output, /every one decoded and sealed again: equal/);
  assert.doesNotMatch(output, /DOES NOT VERIFY|Problems/);
}

function assertFederated(output: string): void {
  const accuracy = Number(/federated, with that privacy +(0\.\d+|1\.000)/.exec(output)?.[1]);
  assert.ok(accuracy >= 0.9, explain(output));
  const [, outsiders, member, others] =
    /epsilon ([\d.]+) against outsiders, ([\d.]+) against one curious member, ([\d.]+) against all others/.exec(
      output,
    ) ?? [];
  assert.ok(Number(member) > 2.4 && Number(member) <= 2.5, explain(output));
  assert.ok(Number(outsiders) < Number(member) && Number(member) < Number(others), explain(output));
  assert.match(output, /12 rounds, 3 in each sum/);
}

let left: Map<string, number>;

test('a fresh start trains, commits, verifies, and stays up', async () => {
  const { child, said, closed, heard } = quickstart();
  const deadline = performance.now() + 600_000;
  while (!said().includes('all is up')) {
    if (child.exitCode !== null) await heard();
    assert.ok(child.exitCode === null && performance.now() < deadline, explain(said()));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertTrained(said());
  assertFederated(said());
  assert.match(said(), /12 rounds summed, the model committed/);
  assert.match(said(), /Try next/);
  child.kill('SIGKILL');
  await closed;
  left = noted();
  assert.equal(left.size, OWN.length + 2 * SITES.length, 'all processes live on, those of the sites too');
  for (const [name, pid] of left) assert.ok(existsSync(`/proc/${pid}`), name);
});

test('a further agent joins and starts by hand from the checkout, as the README writes it', async () => {
  const readme = readFileSync(join(CHECKOUT, 'README.md'), 'utf8');
  const [, block = ''] =
    /^```sh\n(\(umask 077; ringfence agent join-code --name agent-3 [^]*?)^```$/m.exec(readme) ?? [];
  const lines = block
    .replaceAll('.ringfence/', `${state}/`)
    .replaceAll(/\bcode(?=[ )]|$)(?! --)/gm, join(root, 'code'));
  const script = `set -e\nringfence() { node apps/cli/bin/ringfence.mjs "$@"; }\n${lines.replace(/^node /m, 'exec node ')}`;
  const env = { ...process.env, RINGFENCE_HOME: join(state, 'home') };
  const child = spawn('bash', ['-c', script], { cwd: CHECKOUT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [ready, said] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (ready += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  try {
    const deadline = performance.now() + 300_000;
    while (!ready.includes('"event":"ready"')) {
      assert.ok(child.exitCode === null && performance.now() < deadline, `${script}\n${said}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  } finally {
    const ended = child.exitCode === null ? once(child, 'exit') : undefined;
    child.kill('SIGTERM');
    await ended;
  }
});

test('a second start, with processes left over from a dirty stop in its way, reuses the state and ends with 0', async () => {
  const before = readFileSync(join(state, 'home', 'profile.json'), 'utf8');
  const { said, closed, heard } = quickstart('--exit');
  const code = await closed;
  await heard();
  assert.equal(code, 0, explain(said()));
  assertTrained(said());
  assertFederated(said());
  assert.match(said(), /trained at an earlier start/);
  assert.doesNotMatch(said(), /organisation created|Try next|rounds summed/);
  assert.match(said(), /its state is in .*starts it again/);
  assert.equal(JSON.parse(readFileSync(join(state, 'home', 'profile.json'), 'utf8')).org, JSON.parse(before).org);
});

test('nothing that either started is left', () => {
  assert.deepEqual([...noted().keys()], []);
  for (const [name, pid] of left) assert.ok(!existsSync(`/proc/${pid}`), name);
});
