// Secrets: kept by the custodian, delivered to one attempt, and in the environment of no process but the job's own.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { until } from '@ringfence/base/until';
import { sandboxWorks, type House } from '../../scripts/house/index.ts';
import { sharedHouse } from './shared-house.ts';

const root = mkdtempSync(join(tmpdir(), 'ringfence-secrets-'));
const VALUE = `it's /data "$HOME" \\ ${process.pid}-marker-4711`;
let house: House;

before(async () => {
  house = await sharedHouse();
  mkdirSync(join(root, 'empty'));
});

after(() => {
  rmSync(root, { recursive: true, force: true });
});

function jobFile(name: string, run: string, secrets = '[TOKEN]'): string {
  const file = join(root, `${name}.yaml`);
  const lines = run.split('\n').map((line) => `  ${line}`);
  writeFileSync(file, `name: ${name}\nworkdir: empty\nsecrets: ${secrets}\nrun: |\n${lines.join('\n')}\n`);
  return file;
}

/** Names of processes whose `file` in /proc holds the value. */
function holders(file: 'cmdline' | 'environ'): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(`/proc/${pid}/${file}`, 'latin1').includes(VALUE)) return [];
        return [readFileSync(`/proc/${pid}/comm`, 'utf8').trim()];
      } catch {
        return [];
      }
    });
}

/** Files of the house that hold the value in the clear. */
function filesWith(folder: string, value: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path).size < 64_000_000 && readFileSync(path).includes(value));
}

test('a job that names a secret that is not there is not launched, and the name is said', async () => {
  const { code, stderr } = await house.cli(['launch', '-y', jobFile('early', 'echo ran')]);
  assert.notEqual(code, 0);
  assert.match(stderr, /no secret called TOKEN/);
});

test('a secret is set from the pipe, listed by name, and never shown', async () => {
  const set = await house.cli(['secret', 'set', 'TOKEN'], { input: `${VALUE}\n` });
  assert.equal(set.code, 0, set.stderr);
  const listed = await house.cli(['secret', 'ls', '--json']);
  assert.match(listed.stdout, /TOKEN/);
  for (const text of [set.stdout, set.stderr, listed.stdout]) assert.ok(!text.includes('marker-4711'), text);
});

test('its value is in the environment of the job’s own processes and nowhere else', async () => {
  const run = 'printf %s "$TOKEN" | wc -c\necho up\nsleep 300';
  const ordered = await house.cli(['launch', '-y', '-d', jobFile('holder', run)]);
  assert.equal(ordered.code, 0, ordered.stderr);
  await until(() => holders('environ').includes('sleep'), 'the job runs with its secret');
  for (const name of holders('environ')) assert.ok(['sh', 'dash', 'bash', 'sleep'].includes(name), `${name} holds it`);
  assert.deepEqual(holders('cmdline'), []);
  const { stdout } = await house.cli(['logs', 'holder']);
  assert.equal(stdout.split('\n')[0]?.trim(), String(Buffer.byteLength(VALUE)), 'letter by letter');
  assert.deepEqual(filesWith(house.root, VALUE), [], 'no file of any role holds it in the clear');
  assert.equal((await house.cli(['stop', 'holder', '--grace', '0s'])).code, 0);
});

test('a grant reads the value as it is then; without one it is refused, and the owner is told the name', async () => {
  assert.equal((await house.cli(['secret', 'set', 'TOKEN'], { input: 'second' })).code, 0);
  const file = jobFile('second', 'test "$TOKEN" = second && echo matches');
  const ran = await house.cli(['launch', '-y', file]);
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^matches$/m);
  if (sandboxWorks()) {
    const look = 'test "$(cat /run/secrets/token)" = second && test -z "${TOKEN-}" && echo is a file';
    const asFile = await house.cli([
      'launch',
      '-y',
      jobFile('file', look, '[{name: TOKEN, file: /run/secrets/token}]'),
    ]);
    assert.match(asFile.stdout, /^is a file$/m, asFile.stderr);
  }
  // The only agent stands still, so the job waits; by the time that it asks for its grant, the secret is gone.
  house.process('agent-1').kill('SIGSTOP');
  const waits = await house.cli(['launch', '-y', '-d', jobFile('waits', 'echo ran')]);
  assert.equal(waits.code, 0, waits.stderr);
  assert.equal((await house.cli(['secret', 'rm', 'TOKEN'])).code, 0);
  house.process('agent-1').kill('SIGCONT');
  await until(
    async () =>
      /granted nothing \(secret-missing\)[^]*ringfence secret set[^]*secrets are missing.*TOKEN/.test(
        (await house.cli(['status', 'waits'])).stdout,
      ),
    'the refusal names the secret',
  );
  assert.doesNotMatch((await house.cli(['logs', 'waits'])).stdout, /ran/);
  await house.cli(['stop', 'waits', '--grace', '0s']);
});
