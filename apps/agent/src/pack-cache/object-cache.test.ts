import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { seededRng } from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import { ObjectCache } from './object-cache.ts';

const rng = seededRng('objects');

interface Store {
  readonly folder: string;
  fetched: number;
  open(limit: number): { get(bytes: Uint8Array): Promise<Uint8Array>; raw: ObjectCache };
  pathOf(digest: Digest): string;
}

function store(t: TestContext): Store {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-objects-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    fetched: 0,
    open(limit) {
      const raw = new ObjectCache(folder, limit);
      const get = (bytes: Uint8Array): Promise<Uint8Array> =>
        raw.get(sha256Hex(bytes), () => {
          this.fetched += 1;
          return Promise.resolve(bytes);
        });
      return { get, raw };
    },
    pathOf: (digest) => join(folder, digest.slice(0, 2), digest),
  };
}

function filesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
}

test('an object is fetched once, also by requests at the same time and after a restart', async (t) => {
  const objects = store(t);
  const bytes = rng.bytes(1_000);
  const cache = objects.open(10_000);
  const [one, two] = await Promise.all([cache.get(bytes), cache.get(bytes)]);
  assert.deepEqual([sha256Hex(one), sha256Hex(two)], [sha256Hex(bytes), sha256Hex(bytes)]);
  assert.equal(sha256Hex(await objects.open(10_000).get(bytes)), sha256Hex(bytes));
  assert.equal(objects.fetched, 1);
});

test('a damaged, cut or vanished object is fetched again and never handed out', async (t) => {
  const objects = store(t);
  const bytes = rng.bytes(1_000);
  const digest = sha256Hex(bytes);
  const cache = objects.open(10_000);
  await cache.get(bytes);
  const damages: (() => void)[] = [
    () => writeFileSync(objects.pathOf(digest), rng.bytes(1_000)),
    () => writeFileSync(objects.pathOf(digest), bytes.subarray(0, 999)),
    () => rmSync(objects.pathOf(digest)),
  ];
  for (const [index, damage] of damages.entries()) {
    damage();
    assert.equal(sha256Hex(await cache.get(bytes)), digest);
    assert.equal(objects.fetched, index + 2);
  }
});

test('what does not match its digest is not kept', async (t) => {
  const objects = store(t);
  const { raw } = objects.open(10_000);
  await raw.get(sha256Hex(rng.bytes(8)), () => Promise.resolve(rng.bytes(8)));
  assert.equal(filesIn(objects.folder), 0);
});

test('the objects used last are kept up to the limit, and a smaller limit holds at the next start', async (t) => {
  const objects = store(t);
  const [a, b, c, large] = [rng.bytes(400), rng.bytes(400), rng.bytes(400), rng.bytes(1_001)];
  const cache = objects.open(1_000);
  await cache.get(a);
  await cache.get(b);
  await cache.get(a);
  await cache.get(c);
  assert.equal(filesIn(objects.folder), 2);
  assert.ok(!existsSync(objects.pathOf(sha256Hex(b))), 'the one that was not used longest goes');
  await cache.get(a);
  assert.equal(objects.fetched, 3);
  await cache.get(large);
  assert.ok(!existsSync(objects.pathOf(sha256Hex(large))));
  objects.open(500);
  assert.equal(filesIn(objects.folder), 1);
});

test('what a cut write left is cleared away at the next start', async (t) => {
  const objects = store(t);
  const bytes = rng.bytes(8);
  await objects.open(1_000).get(bytes);
  writeFileSync(`${objects.pathOf(sha256Hex(bytes))}.new`, bytes);
  objects.open(1_000);
  assert.equal(filesIn(objects.folder), 1);
});
