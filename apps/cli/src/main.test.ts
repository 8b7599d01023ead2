import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { MAIN, runCli, temporaryFolder } from './cli-process.fixture.ts';
import { nearestVerbs, VERBS } from './verbs.ts';

describe('a wrong call ends with 2 and says what is right', () => {
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['an unknown command', ['lunch'], /there is no such command \(usage\)\n {2}did you mean launch\?/],
    ['a group alone', ['wire'], /did you mean wire tail, wire verify\?/],
    ['an unknown flag', ['ps', '--all'], /ringfence ps has no --all.*\(usage\)\n {2}ringfence ps/s],
    ['a flag without its value', ['stop', 'j', '--grace'], /\(usage\)\n {2}ringfence stop JOB/],
    ['too few words', ['status'], /takes other words \(usage\)\n {2}ringfence status JOB/],
    ['too many words', ['plan', 'a', 'b'], /\(usage\)/],
    ['a label that does not exist', ['dataset', 'add', 'n', '.', '--label', 'secret'], /none of the four/],
    ['a time that is none', ['stop', 'j', '--grace', 'soon'], /--grace/],
    ['a missing folder', ['artifact', 'get', 'm'], /needs a folder/],
    ['a missing state', ['wire', 'verify'], /--state is missing/],
    ['a removal reason that does not exist', ['agent', 'remove', 'a', '--reason', 'boredom'], /reason is unknown/],
  ];
  for (const [name, args, expected] of cases)
    test(name, async (t) => {
      const { code, stdout, stderr } = await runCli(temporaryFolder(t), args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, expected);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });

  test('and as one JSON object on stderr with --json', async (t) => {
    const { code, stdout, stderr } = await runCli(temporaryFolder(t), ['status', '--json']);
    assert.equal(code, 2);
    assert.equal(stdout, '');
    const { error, ...rest } = JSON.parse(stderr);
    assert.deepEqual(rest, {});
    assert.deepEqual(error, {
      code: 'usage',
      message: 'ringfence status takes other words',
      next: 'ringfence status JOB|ENDPOINT',
    });
  });
});

test('an error with --json commands no terminal', async (t) => {
  const { code, stderr } = await runCli(temporaryFolder(t), ['ps', '--\u009b2J', '--json']);
  assert.equal(code, 2);
  assert.doesNotMatch(stderr.trimEnd(), /\p{Cc}/u);
  assert.match(JSON.parse(stderr).error.message, /\u009b2J/);
});

describe('what cannot be done ends with 1', () => {
  test('without a profile, and names the command that makes one', async (t) => {
    for (const args of [['ps'], ['launch', '-y', 'job.yaml'], ['org', 'renew', '--root-key-file', 'none']]) {
      const home = temporaryFolder(t);
      const job = join(home, 'job.yaml');
      writeFileSync(job, 'name: a\nrun: b\n');
      const { code, stderr } = await runCli(
        home,
        args.map((word) => (word === 'job.yaml' ? job : word)),
        'a passphrase of mine',
      );
      assert.equal(code, 1, stderr);
      assert.match(stderr, /ringfence org init|name the sealed root key file/);
    }
  });

  test('with all problems of a job file, as JSON too', async (t) => {
    const home = temporaryFolder(t);
    const file = join(home, 'job.yaml');
    writeFileSync(file, 'name: a\nrun: b\nresources: {memroy: 8GB, cpus: many}\n');
    const { code, stderr } = await runCli(home, ['plan', file, '--json']);
    assert.equal(code, 1);
    const { error } = JSON.parse(stderr);
    assert.equal(error.code, 'job-file-invalid');
    assert.deepEqual(
      error.problems.map(({ path, nearest }: { path: string; nearest?: string }) => [path, nearest]),
      [
        ['resources.memroy', 'memory'],
        ['resources.cpus', undefined],
      ],
    );
  });

  test('for a job that asks for what is not there yet: everything at once, before anything is sent', async (t) => {
    const home = temporaryFolder(t);
    const file = join(home, 'job.yaml');
    writeFileSync(file, 'name: a\nrun: b\ntype: compute\nprivacy: {tee: {require: [tdx]}}\n');
    const { code, stderr } = await runCli(home, ['launch', '-y', file]);
    assert.equal(code, 1);
    assert.match(stderr, /type compute.*privacy\.tee.*\(not-yet\)/s);
  });

  test('what the operating system refuses comes without a stack', async (t) => {
    const home = temporaryFolder(t);
    mkdirSync(join(home, 'state'));
    mkdirSync(join(home, 'state', 'journal.jsonl'));
    writeFileSync(join(home, 'link-keys.json'), '');
    const { code, stderr } = await runCli(home, ['job', 'init', '--file', join(home, 'none', 'job.yaml')]);
    assert.equal(code, 1);
    assert.match(stderr, /ENOENT.*\(system\)/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });
});

describe('help', () => {
  test('lists every verb', async (t) => {
    const { code, stdout } = await runCli(temporaryFolder(t), ['--help']);
    assert.equal(code, 0);
    for (const verb of Object.keys(VERBS)) assert.match(stdout, new RegExp(`^ {2}${verb} `, 'm'));
  });

  test('of every verb shows each of its flags', async () => {
    for (const [verb, load] of Object.entries(VERBS)) {
      const { command } = await load();
      for (const flag of Object.keys(command.options))
        assert.match(
          command.usage,
          new RegExp(`--${flag}\\b|-${command.options[flag]?.short ?? '!'}\\b`),
          `${verb} ${flag}`,
        );
    }
  });

  test('names the nearest verb', async () => {
    assert.deepEqual(await nearestVerbs(['lauch']), ['launch']);
    assert.deepEqual(await nearestVerbs(['artifact', 'gte', 'x']), ['artifact get']);
    assert.deepEqual(await nearestVerbs(['zzzzzz']), []);
  });
});

test('job init writes a file that plan can read, and overwrites none', async (t) => {
  const home = temporaryFolder(t);
  const file = join(home, 'job.yaml');
  const made = await runCli(home, ['job', 'init', '--name', 'first', '--file', file, '--json']);
  assert.deepEqual([made.code, JSON.parse(made.stdout)], [0, { file }]);
  assert.match((await runCli(home, ['plan', file])).stderr, /no-profile/);
  const again = await runCli(home, ['job', 'init', '--file', file]);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /exists.*bad-file/);
});

test('doctor judges a machine without a profile, and counts what is bad', async (t) => {
  const home = temporaryFolder(t);
  const { code, stdout } = await runCli(home, ['doctor', '--json', '--state', home]);
  const { ok, findings } = JSON.parse(stdout);
  assert.deepEqual([code, ok], [1, false]);
  const verdicts = new Map(findings.map(({ check, verdict }: { check: string; verdict: string }) => [check, verdict]));
  assert.deepEqual(
    ['node', 'profile', `journals in ${home}`].map((check) => verdicts.get(check)),
    ['good', 'warn', 'bad'],
  );
  for (const { verdict, remedy } of findings) assert.equal(verdict === 'good', remedy === undefined);
});

test('a reader that has read enough ends a command without a word', async () => {
  const child = spawn(process.execPath, [MAIN, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number];
  assert.deepEqual([code, said], [141, '']);
});
