import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { after, before } from 'node:test';
import { appsWithMain } from './build/bundle.ts';
import { missing } from './needs.ts';

const checkout = resolve(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'ringfence-build-test-'));
const out = join(folder, 'first');
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(checkout, 'scripts/build.ts'), ...args], { encoding: 'utf8' });
const verify = () => run('--verify', out, '--public-key', join(out, 'SHA256SUMS.pub.pem'));
const archive = () => join(out, readdirSync(out).find((name) => name.endsWith('.tar.gz')) ?? 'none');

before(() => {
  const { status, stderr } = run('--out', out);
  assert.equal(status, 0, stderr);
});
after(() => rmSync(folder, { recursive: true }));

test('the same commit builds the same bytes', () => {
  assert.equal(run('--out', join(folder, 'second')).status, 0);
  assert.equal(readFileSync(join(folder, 'second/SHA256SUMS'), 'utf8'), readFileSync(join(out, 'SHA256SUMS'), 'utf8'));
});

test('the signature also verifies with openssl alone', { skip: missing('openssl') }, () => {
  const files = [
    '-inkey',
    join(out, 'SHA256SUMS.pub.pem'),
    '-in',
    join(out, 'SHA256SUMS'),
    '-sigfile',
    join(out, 'SHA256SUMS.sig'),
  ];
  assert.match(
    execFileSync('openssl', ['pkeyutl', '-verify', '-pubin', '-rawin', ...files], { encoding: 'utf8' }),
    /Success/,
  );
});

test('the archive holds runnable programs, and no TypeScript but what jobs import', () => {
  execFileSync('tar', ['--extract', `--file=${archive()}`, `--directory=${folder}`]);
  const [root = 'none'] = readdirSync(folder).filter((name) => name.startsWith('ringfence-'));
  const listing = readdirSync(join(folder, root), { recursive: true, encoding: 'utf8' });
  assert.deepEqual(
    listing.filter((path) => /\.m?ts$/.test(path)),
    ['lib/sdk/typescript/ringfence.ts'],
  );
  for (const app of appsWithMain(checkout)) {
    const command = join(folder, root, 'bin', app === 'cli' ? 'ringfence' : `ringfence-${app}`);
    assert.match(execFileSync(command, ['--help'], { cwd: '/', encoding: 'utf8' }), /ringfence/, command);
    // Tests arm processes of a checkout by it; a release has nothing to arm.
    const bundle = readFileSync(join(folder, root, 'lib', `${app}.mjs`), 'utf8');
    assert.ok(!bundle.includes('RINGFENCE_FAULT'), app);
  }
  const version = JSON.parse(readFileSync(join(folder, root, 'VERSION'), 'utf8')) as { node: string };
  assert.equal(
    execFileSync(join(folder, root, 'runtime/bin/node'), ['--version'], { encoding: 'utf8' }).trim(),
    version.node,
  );
});

test('verify accepts the release as built and refuses it with one byte changed', () => {
  assert.equal(verify().status, 0);
  const bytes = readFileSync(archive());
  const middle = bytes.length >> 1;
  bytes.writeUInt8(bytes.readUInt8(middle) ^ 1, middle);
  writeFileSync(archive(), bytes);
  const { status, stderr } = verify();
  assert.equal(status, 1);
  assert.match(stderr, /differs from the signed list/);
});
