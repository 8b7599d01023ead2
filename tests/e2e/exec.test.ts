// Entering a running job: a command in its sandbox with its rights and no more, files from and to it, and who did it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { House } from '../../scripts/house/index.ts';
import { need } from '../../scripts/needs.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-exec-'));
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'empty'));
  mkdirSync(join(root, 'data'));
  writeFileSync(join(root, 'data', 'rows.csv'), 'secret-words\n');
  const added = await house.cli(['dataset', 'add', 'secretive', join(root, 'data'), '--label', 'restricted']);
  assert.equal(added.code, 0, added.stderr);
});

after(() => {
  rmSync(root, { recursive: true, force: true });
});

async function runs(name: string, more: string): Promise<void> {
  const file = join(root, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}\nworkdir: empty\nrun: |\n  echo from-the-job > /out/file\n  echo up\n  sleep 300\noutputs: {/out: {artifact: ${name}}}\n${more}\n`,
  );
  const ordered = await house.cli(['launch', '-y', '-d', file]);
  assert.equal(ordered.code, 0, ordered.stderr);
  const deadline = performance.now() + 60_000;
  while (!(await house.cli(['logs', name])).stdout.includes('up'))
    assert.ok(performance.now() < deadline, 'the job did not start');
}

test('a command runs in the sandbox with what the job has and no more', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  await runs('entered', 'privacy: {sensitivity: internal}');
  const script = `cat; cat /out/file; id -u; grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'; tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '; for p in /etc/shadow /root /home ${root}; do ls "$p" >/dev/null 2>&1 && echo "READ $p"; done; ls /proc | grep -c '^[0-9]' >/dev/null; unshare -U true 2>/dev/null && echo NAMESPACE; sleep 60 & until grep -qs 'sleep) S' /proc/$!/stat; do :; done; ls /proc/$!/fd | tr '\\n' ' '; kill $!; hostname; echo err >&2; exit 7`;
  const result = await house.cli(['exec', 'entered', '--', 'sh', '-c', script], { input: 'piped in\n' });
  assert.equal(
    result.stdout,
    'piped in\nfrom-the-job\n65534\nCapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\nSeccomp:2\nlo\n0 1 2 job\n',
    result.stderr,
  );
  assert.equal(result.stderr, 'err\n');
  assert.equal(result.code, 7);
});

test('files go out and in', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const out = await house.cli(['cp', 'entered:/out/file', join(root, 'got')]);
  assert.equal(out.code, 0, out.stderr);
  assert.equal(readFileSync(join(root, 'got'), 'utf8'), 'from-the-job\n');
  const bytes = Buffer.alloc(3_000_000, 'x');
  writeFileSync(join(root, 'large'), bytes);
  const put = await house.cli(['cp', join(root, 'large'), 'entered:/out/large']);
  assert.equal(put.code, 0, put.stderr);
  const counted = await house.cli(['exec', 'entered', '--', 'wc', '-c', '/out/large']);
  assert.match(counted.stdout, /^3000000 /);
  const none = await house.cli(['cp', 'entered:/out/none', join(root, 'none')]);
  assert.notEqual(none.code, 0);
  assert.match(none.stderr, /No such file/i);
});

test('who entered stands in the agent’s journal, without the command', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const { device }: { device: string } = JSON.parse(readFileSync(join(house.home, 'profile.json'), 'utf8'));
  const journals = facts(join(house.root, 'agent-1'));
  const entered = journals.filter((line) => line.includes('"name":"entered"'));
  assert.equal(entered.length, 5);
  assert.ok(entered.every((line) => line.includes(device)));
  assert.ok(!journals.some((line) => line.includes('from-the-job') || line.includes('/out/large')));
});

test('a job on restricted data is seen and entered by its owner’s signed rules alone, and what it makes opens by its digest', async (t) => {
  if (!need(t, 'bubblewrap')) return;
  const refused = async (args: string[]): Promise<void> => {
    const result = await house.cli(args);
    assert.equal(result.code, 1, result.stdout);
    assert.match(result.stderr, /not-released|owner of|its owner has released nothing/);
    assert.doesNotMatch(result.stdout, /secret-words|from-the-job/);
  };
  const yaml = (name: string, mounts: string, run: string): string => {
    const file = join(root, `${name}.yaml`);
    writeFileSync(
      file,
      `name: ${name}\nworkdir: empty\nrun: ${run}\nmounts: {/data: {dataset: ${mounts}}}\noutputs: {/out: {artifact: ${name}}}\n`,
    );
    return file;
  };
  // Two jobs, one after the other: whoever launches sees that they succeeded, and nothing that they say.
  for (const [name, mounts] of [
    ['first-step', 'secretive'],
    ['second-step', 'first-step'],
  ] as const) {
    const { code, stdout, stderr } = await house.cli([
      'launch',
      '-y',
      yaml(name, mounts, 'cat /data/* && cp /data/* /out/'),
    ]);
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /secret-words/);
    assert.match(stderr, /its log is not shown/);
  }
  await refused(['logs', 'second-step']);
  await refused(['artifact', 'get', 'second-step', '--out', join(root, 'leak')]);
  const asked = await house.cli(['release', 'request', 'second-step', '--purpose', 'research', '--json']);
  assert.equal(asked.code, 0, asked.stderr);
  const { request } = JSON.parse(asked.stdout) as { request: string };
  const review = await house.cli(['release', 'review', request]);
  assert.match(review.stdout, /made of secretive version 1, restricted/, review.stderr);
  assert.match(review.stdout, /secret-words/, 'its owner sees the text');
  assert.equal((await house.cli(['release', 'approve', request])).code, 0);
  const got = await house.cli(['artifact', 'get', 'second-step', '--out', join(root, 'released')]);
  assert.equal(got.code, 0, got.stderr);
  assert.match(readFileSync(join(root, 'released', 'rows.csv'), 'utf8'), /secret-words/);
  assert.equal((await house.cli(['release', 'end', request])).code, 0);
  await refused(['artifact', 'get', 'second-step', '--out', join(root, 'leak')]);

  const file = yaml('closed', 'secretive', '"echo from-the-job > /out/file; echo up; sleep 300"');
  assert.equal((await house.cli(['launch', '-y', '-d', file])).code, 0);
  const rule = await house.cli(['release', 'rule', 'add', 'secretive', '--allow', 'logs', '--json']);
  assert.equal(rule.code, 0, rule.stderr);
  const deadline = performance.now() + 60_000;
  while (!(await house.cli(['logs', 'closed'])).stdout.includes('up'))
    assert.ok(performance.now() < deadline, 'the job did not start');
  await refused(['metrics', 'closed']);
  await refused(['exec', 'closed', '--', 'cat', '/out/file']);
  assert.equal((await house.cli(['release', 'rule', 'add', '--job', 'closed', '--allow', 'exec'])).code, 0);
  const entered = await house.cli(['exec', 'closed', '--', 'cat', '/out/file']);
  assert.equal(entered.stdout, 'from-the-job\n', entered.stderr);
  await refused(['cp', 'closed:/out/file', join(root, 'leak')]);
  const listed = await house.cli(['release', 'rule', 'ls', '--json']);
  const { rules } = JSON.parse(listed.stdout) as { rules: { word: string; openings: number }[] };
  assert.deepEqual(
    rules.map(({ openings }) => openings),
    [1, 1],
  );
  for (const { word } of rules) assert.equal((await house.cli(['release', 'rule', 'end', word])).code, 0);
  await refused(['exec', 'closed', '--', 'cat', '/out/file']);
  for (const name of ['entered', 'closed']) assert.equal((await house.cli(['stop', name, '--grace', '0s'])).code, 0);
});

/** Lines of the journals below a folder. */
function facts(folder: string): string[] {
  const names = execFileSync('find', [folder, '-name', '*.jsonl', '-path', '*journal*'], { encoding: 'utf8' });
  return names
    .trim()
    .split('\n')
    .flatMap((path) => readFileSync(path, 'utf8').split('\n'));
}
