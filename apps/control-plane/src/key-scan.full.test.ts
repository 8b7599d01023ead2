import assert from 'node:assert/strict';
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRng } from '@ringfence/base';
import { startProcess } from './control-plane-process.fixture.ts';
import { embeddedFolder, temporaryFolder, until } from './control-plane.fixture.ts';
import { PARTY_SEEDS, TestOrganisation } from './organisation.fixture.ts';

/** The spellings in which a key could lie about. */
function spellings(key: Uint8Array): Buffer[] {
  const bytes = Buffer.from(key);
  const texts = [bytes.toString('hex'), bytes.toString('base64url'), bytes.toString('base64')];
  return [bytes, ...texts.map((text) => Buffer.from(text))];
}

/** Every needle that `bytes` holds. */
function found(bytes: Buffer, needles: readonly Buffer[]): Buffer[] {
  return needles.filter((needle) => bytes.includes(needle));
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The writable memory of a process: heaps, stacks and buffers, region by region. */
function* memoryOf(pid: number): Generator<Buffer> {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      const [start, end] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
      const region = Buffer.alloc(end - start);
      // A region that was unmapped meanwhile, or that nothing backs, holds nothing.
      try {
        readSync(memory, region, 0, region.length, start);
      } catch {
        continue;
      }
      yield region;
    }
  } finally {
    closeSync(memory);
  }
}

test('no key of a device, custodian or agent, and no data key, is in the memory, database or files of the control plane', async (t) => {
  const state = embeddedFolder(t);
  const snapshots = temporaryFolder(t);
  const nodeFlags = ['--heapsnapshot-signal=SIGUSR2', `--diagnostic-dir=${snapshots}`];
  const running = await startProcess(t, { state, nodeFlags });
  const house = new TestOrganisation();
  const { client, custodian, agent } = await house.enrol(t, running);
  const dataKey = systemRng.bytes(32);
  const { job } = await client.submit(house.submission());
  await until('a lease', () => agent.messages.some(({ name }) => name === 'lease'));
  await agent.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'succeeded' } });
  await custodian.send({ name: 'committed', body: { job, attempt: 1 } });
  await until('succeeded', async () => (await client.job(job)).state === 'succeeded');
  const secrets = [...PARTY_SEEDS, dataKey].flatMap(spellings);
  const known = Buffer.from(house.device.sign.publicKey);
  running.child.kill('SIGUSR2');
  const heap = await heapSnapshot(snapshots);
  const memory = { regions: 0, known: 0, secret: 0 };
  for (const region of memoryOf(running.child.pid ?? 0)) {
    memory.regions += 1;
    memory.known += found(region, [known]).length;
    memory.secret += found(region, secrets).length;
  }
  const files = [clusterFolder(state), state].flatMap(filesBelow).filter((file) => existsSync(file));
  const inFiles = files.map((file) => readFileSync(file));
  t.diagnostic(`${heap.length} bytes of heap snapshot, ${memory.regions} regions of memory, ${files.length} files`);
  // The same search finds what the control plane does know: it is no blind search.
  assert.ok(found(heap, [Buffer.from(running.ready['id'] ?? '')]).length > 0);
  assert.ok(memory.known > 0);
  assert.ok(inFiles.some((bytes) => found(bytes, [known]).length > 0));
  assert.equal(found(heap, secrets).length, 0);
  assert.equal(memory.secret, 0);
  assert.deepEqual(
    files.filter((_, index) => found(inFiles[index] ?? Buffer.alloc(0), secrets).length > 0),
    [],
  );
});

/** The snapshot that a process writes into `folder`, once it is whole. */
async function heapSnapshot(folder: string): Promise<Buffer> {
  const last = Buffer.alloc(2);
  await until('a heap snapshot', () => {
    const [name] = readdirSync(folder);
    if (name === undefined) return false;
    const file = openSync(join(folder, name), 'r');
    readSync(file, last, 0, last.length, Math.max(0, fstatSync(file).size - last.length));
    closeSync(file);
    return last.toString().trimEnd().endsWith('}');
  });
  return readFileSync(join(folder, readdirSync(folder)[0] ?? ''));
}

/** Where the embedded server keeps its rows and its log of writes. */
function clusterFolder(state: string): string {
  const { cluster } = JSON.parse(readFileSync(join(state, 'database/embedded.json'), 'utf8')) as { cluster: string };
  return cluster === '.' ? join(state, 'database/cluster') : cluster;
}
