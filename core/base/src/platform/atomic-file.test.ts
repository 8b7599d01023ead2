import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { makeFolder, writeFileAtomic } from './atomic-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-atomic-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('replaces content, keeps it private, and leaves nothing beside it', () => {
  const path = join(folder, 'state');
  writeFileAtomic(path, 'one');
  assert.equal(modeOf(path), 0o600);
  writeFileAtomic(path, Buffer.from('two'));
  assert.equal(readFileSync(path, 'utf8'), 'two');
  writeFileAtomic(path, '', 0o644);
  assert.equal(modeOf(path), 0o644);
  assert.equal(readFileSync(path, 'utf8'), '');
  assert.deepEqual(readdirSync(folder), ['state']);
});

test('a half-written sibling of a crash is no obstacle', () => {
  const path = join(folder, 'healed');
  writeFileSync(`${path}.${process.pid}.new`, 'half');
  writeFileAtomic(path, 'whole');
  assert.equal(readFileSync(path, 'utf8'), 'whole');
});

test('replaces a symbolic link, not the file that it points to', () => {
  const [target, link] = [join(folder, 'target'), join(folder, 'link')];
  writeFileSync(target, 'untouched');
  symlinkSync(target, link);
  writeFileAtomic(link, 'own');
  assert.equal(readFileSync(target, 'utf8'), 'untouched');
  assert.equal(readFileSync(link, 'utf8'), 'own');
});

test('a folder and its parents are made private, and may be there already', () => {
  const path = join(folder, 'a', 'b');
  makeFolder(path);
  makeFolder(path);
  assert.equal(modeOf(path), 0o700);
  assert.equal(modeOf(join(folder, 'a')), 0o700);
});

test('a file in a folder that is not there is an error', () => {
  assert.throws(() => writeFileAtomic(join(folder, 'absent', 'x'), 'y'), { code: 'ENOENT' });
});

test('kill -9 in the middle of writing leaves one whole content', async () => {
  const path = join(folder, 'killed');
  const size = 16_000_000;
  // Says each round what it is about to do, so that the kill lands inside a write and not before the first.
  const program = `import { writeFileAtomic } from ${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'atomic-file.ts')).href)};
const contents = [97, 98].map((byte) => Buffer.alloc(${size}, byte));
for (let round = 0; ; round += 1) {
  process.stdout.write('.');
  writeFileAtomic(${JSON.stringify(path)}, contents[round % 2]);
}`;
  for (let kill = 0; kill < 8; kill += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let rounds = 0;
    for await (const dots of child.stdout) {
      rounds += (dots as Buffer).length;
      if (rounds > 1 + kill) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const content = readFileSync(path);
    assert.equal(content.length, size);
    assert.equal(Buffer.compare(content, Buffer.alloc(size, content[0])), 0, 'a mixture of two contents');
  }
});
