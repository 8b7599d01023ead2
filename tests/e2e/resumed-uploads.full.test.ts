// Uploads that are cut by kill -9 go on where they were: what the custodian has acknowledged does not travel again.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { systemRng as rng } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { roleCommand, startHouse, type House } from '../../scripts/house/index.ts';

const MiB = 1_048_576;
/** What sealing adds to a chunk. */
const MARGIN = 4_096;

const root = mkdtempSync(join(tmpdir(), 'ringfence-resumed-'));
let house: House;

before(async () => {
  house = await startHouse({ root: join(root, 'house'), agents: 1 });
});

after(async () => {
  await house?.stop();
  rmSync(root, { recursive: true, force: true });
});

/** Bytes of sealed objects at the custodian: no two uploads seal a chunk alike, so one that travels twice lies there twice. */
function storedBytes(): number {
  const folder = join(house.root, 'custodian', 'objects');
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .filter(({ parentPath }) => !parentPath.endsWith('incoming'))
    .map(({ parentPath, name }) => statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, size) => sum + size, 0);
}

test('results go on travelling when the agent that uploads them is killed, and the job is not run again', async () => {
  mkdirSync(join(root, 'empty'));
  const file = join(root, 'job.yaml');
  writeFileSync(
    file,
    'name: large\nworkdir: empty\n' +
      'run: |\n  head -c 6291456 /dev/urandom > /out/a\n  head -c 20971520 /dev/urandom > /out/b\n  sha256sum /out/a /out/b\n' +
      'outputs: {/out: {artifact: large}}\n',
  );
  await house.kill('agent-1');
  // The fourth part, so some 16 MiB, has been acknowledged when it dies.
  const first = await house.restart('agent-1', { RINGFENCE_FAULT: 'upload-after-part:4' });
  const before = storedBytes();
  const { code, stderr } = await house.cli(['launch', '-y', '-d', file]);
  assert.equal(code, 0, stderr);
  assert.equal((await first.exited).signal, 'SIGKILL');
  const acknowledged = storedBytes() - before;
  assert.ok(acknowledged > 12 * MiB && acknowledged < 24 * MiB, `${acknowledged} bytes`);
  const second = await house.restart('agent-1', {});
  await until(
    async () =>
      ['succeeded', 'failed'].includes(JSON.parse((await house.cli(['status', 'large', '--json'])).stdout).state),
    'the job is over',
  );
  const { state, attempts } = JSON.parse((await house.cli(['status', 'large', '--json'])).stdout);
  assert.deepEqual([state, attempts.length], ['succeeded', 1], readFileSync(second.logFile, 'utf8').slice(-3_000));
  const stored = storedBytes() - before;
  assert.ok(stored >= 26 * MiB && stored < 30 * MiB + 40 * MARGIN, `${stored} bytes of 26 MiB travelled`);
  const got = await house.cli(['artifact', 'get', 'large', '--out', join(root, 'large')]);
  assert.equal(got.code, 0, got.stderr);
  const said = (await house.cli(['logs', 'large'])).stdout;
  for (const name of ['a', 'b']) {
    const digest = createHash('sha256')
      .update(readFileSync(join(root, 'large', name)))
      .digest('hex');
    assert.ok(said.includes(digest), `${name} is what the job wrote`);
  }
});

test('a client that is killed while it uploads goes on with its next call', async () => {
  const folder = join(root, 'data');
  mkdirSync(folder);
  writeFileSync(join(folder, 'large'), rng.bytes(48 * MiB));
  const before = storedBytes();
  const add = ['dataset', 'add', 'large-data', folder, '--label', 'internal'];
  const [program, ...args] = roleCommand({ kind: 'source' }, 'cli', add);
  // From source, whose program is Node itself: what is preloaded stands in front. It reads 40 MiB and stands still: the first 32 travel together, so that no kill comes too late.
  const preload = ['--import', join(import.meta.dirname, 'stop-reading.fixture.ts')];
  const env = { ...process.env, RINGFENCE_HOME: house.home };
  const child = spawn(program, [...preload, ...args], { env, stdio: 'ignore' });
  const over = new Promise((resolve) => child.once('close', resolve));
  await until(() => storedBytes() - before > 8 * MiB, 'some of it has arrived');
  child.kill('SIGKILL');
  await over;
  assert.ok(storedBytes() - before < 44 * MiB, 'it was killed in the middle');
  const { code, stderr } = await house.cli(add);
  assert.equal(code, 0, stderr);
  const stored = storedBytes() - before;
  assert.ok(stored >= 48 * MiB && stored < 52 * MiB + 60 * MARGIN, `${stored} bytes of 48 MiB travelled`);
});
