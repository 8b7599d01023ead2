import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { collectOutput, OUTPUT_LIMITS } from './collect-output.ts';

function output(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-output-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('files come in order, with their folders and who may execute them', (t) => {
  const folder = output(t);
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  mkdirSync(join(folder, 'empty'));
  for (const path of ['z', 'a/b/model.bin', 'a/run.sh', 'é']) writeFileSync(join(folder, path), path);
  chmodSync(join(folder, 'a/run.sh'), 0o700);
  linkSync(join(folder, 'z'), join(folder, 'same-as-z'));
  assert.deepEqual(collectOutput(folder), [
    { kind: 'file', path: 'a/b/model.bin', executable: false },
    { kind: 'file', path: 'a/run.sh', executable: true },
    { kind: 'file', path: 'same-as-z', executable: false },
    { kind: 'file', path: 'z', executable: false },
    { kind: 'file', path: 'é', executable: false },
  ]);
});

const ATTACKS: Readonly<Record<string, (folder: string) => unknown>> = {
  'a link to a file of the machine': (folder) => symlinkSync('/etc/passwd', join(folder, 'model')),
  'a link to a folder of the machine': (folder) => symlinkSync('/etc', join(folder, 'config')),
  'a link inside the output': (folder) => {
    writeFileSync(join(folder, 'a'), 'a');
    symlinkSync('a', join(folder, 'b'));
  },
  'a link that leads nowhere': (folder) => symlinkSync('/nothing/here', join(folder, 'x')),
  'a deep link': (folder) => {
    mkdirSync(join(folder, 'x/y'), { recursive: true });
    symlinkSync('../../../..', join(folder, 'x/y/z'));
  },
  'a pipe': (folder) => execFileSync('mkfifo', [join(folder, 'pipe')]),
  'a name with a line break': (folder) => writeFileSync(join(folder, 'a\nb'), ''),
  'a name with a backslash': (folder) => writeFileSync(join(folder, '..\\..\\a'), ''),
  'a name that is not UTF-8': (folder) =>
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0x61])]), ''),
  'too deep a tree': (folder) => mkdirSync(join(folder, ...Array.from({ length: 66 }, () => 'd')), { recursive: true }),
};

for (const [name, attack] of Object.entries(ATTACKS))
  test(`refused: ${name}`, (t) => {
    const folder = output(t);
    attack(folder);
    assert.throws(() => collectOutput(folder), { code: 'bad-output' });
  });

test('refused: a device', { skip: process.getuid?.() !== 0 }, (t) => {
  const folder = output(t);
  execFileSync('mknod', [join(folder, 'null'), 'c', '1', '3']);
  assert.throws(() => collectOutput(folder), { code: 'bad-output', message: /device/ });
});

test('refused: a socket', async (t) => {
  const folder = output(t);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
  t.after(() => server.close());
  assert.throws(() => collectOutput(folder), { code: 'bad-output', message: /socket/ });
});

test('refused: an output that the job replaced by a link', (t) => {
  const folder = output(t);
  symlinkSync('/etc', join(folder, 'out'));
  assert.throws(() => collectOutput(join(folder, 'out')), { code: 'bad-output' });
});

test('refused: too many files, too many bytes, holes counted as what they become', (t) => {
  const folder = output(t);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, name), '');
  assert.throws(() => collectOutput(folder, { ...OUTPUT_LIMITS, files: 2 }), { code: 'bad-output' });
  truncateSync(join(folder, 'a'), 2_000_000_000_000);
  assert.throws(() => collectOutput(folder), { code: 'bad-output', message: /large/ });
});
