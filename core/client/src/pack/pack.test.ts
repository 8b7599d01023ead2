import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { DedupeKey } from '@ringfence/crypto/seal';
import fc from 'fast-check';
import { ClientError } from '../error.ts';
import { openPack } from './open-pack.ts';
import { PackStore } from './pack-store.fixture.ts';
import { sealPack, type PackEntry, type SealedPack } from './seal-pack.ts';

const MiB = 1_048_576;
const org = newId('org', systemRng);
const project = newId('project', systemRng);
const dedupeKey = DedupeKey.generate(systemRng);

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-pack-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function put(folder: string, files: Readonly<Record<string, Uint8Array | string>>): PackEntry[] {
  return Object.entries(files).map(([path, content]) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
    return { kind: 'file', path, executable: false };
  });
}

function seal(store: PackStore, folder: string, entries: PackEntry[], key = dedupeKey): Promise<SealedPack> {
  return sealPack({ folder, entries, org, project, dedupeKey: key, custodian: store.calls, rng: systemRng });
}

/** Bytes that no two MiB of which are equal. */
function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at + 8 <= size; at += 4096) bytes.writeDoubleLE(seed + at, at);
  return bytes;
}

test('a chunk that is there with another size is sealed and uploaded afresh', async (t) => {
  const [from, to] = [temporary(t), temporary(t)];
  const entries = put(from, { 'a.txt': 'hello' });
  const store = new PackStore();
  await seal(store, from, entries);
  for (const [id, chunk] of store.chunks) store.chunks.set(id, { ...chunk, size: chunk.size + 1 });
  const { pack, uploaded } = await seal(store, from, entries);
  assert.equal(uploaded, 5);
  await openPack({ pack, org, project, folder: to, fetch: store.fetch });
  assert.equal(readFileSync(join(to, 'a.txt'), 'utf8'), 'hello');
});

describe('a sealed folder', () => {
  test('opens as it was: bytes, names, modes, links, empty files', async (t) => {
    const [from, to] = [temporary(t), temporary(t)];
    const big = noise(2 * MiB + 17, 1);
    const entries = put(from, {
      'a.txt': 'hello',
      'deep/er/b.bin': big,
      empty: '',
      'grüße ☃': 'x',
      exact: noise(MiB, 2),
    });
    entries.push({ kind: 'link', path: 'deep/link', target: '../a.txt' });
    const run = entries.map((entry) => (entry.path === 'a.txt' ? { ...entry, executable: true } : entry) as PackEntry);
    const store = new PackStore();
    const { pack, files, bytes } = await seal(store, from, run);
    assert.deepEqual([files, bytes], [5, 3 * MiB + 17 + 6]);
    await openPack({ pack, org, project, fetch: store.fetch, folder: to });
    assert.deepEqual(readFileSync(join(to, 'deep/er/b.bin')), big);
    assert.equal(readFileSync(join(to, 'empty')).length, 0);
    assert.equal(readFileSync(join(to, 'grüße ☃'), 'utf8'), 'x');
    assert.equal(readlinkSync(join(to, 'deep/link')), '../a.txt');
    assert.deepEqual(
      ['a.txt', 'empty'].map((path) => lstatSync(join(to, path)).mode & 0o100),
      [0o100, 0],
    );
  });

  test('gives equal chunks equal ids under one key, and unlike ones under another', async (t) => {
    const folder = temporary(t);
    const entries = put(folder, { a: noise(MiB, 1), b: noise(MiB, 1), c: noise(MiB, 2) });
    const [first, second, other] = [new PackStore(), new PackStore(), new PackStore()];
    await seal(first, folder, entries);
    await seal(second, folder, entries);
    await seal(other, folder, entries, DedupeKey.generate(systemRng));
    assert.equal(first.chunks.size, 2);
    assert.deepEqual([...first.chunks.keys()].toSorted(), [...second.chunks.keys()].toSorted());
    assert.ok([...other.chunks.keys()].every((id) => !first.chunks.has(id)));
    const digests = new Set([...first.chunks.values()].map(({ digest }) => digest));
    assert.ok([...second.chunks.values()].every(({ digest }) => !digests.has(digest)));
  });

  test('sends only the chunks that changed, whatever changed (property)', async (t) => {
    const piece = fc.nat({ max: 3 });
    const folders = fc.dictionary(fc.constantFrom('a', 'b', 'c/d', 'c/e'), fc.array(piece, { maxLength: 3 }));
    await fc.assert(
      fc.asyncProperty(folders, folders, async (before, after) => {
        const store = new PackStore();
        const known = new Set<number>();
        for (const content of [before, after]) {
          const folder = temporary(t);
          const files = Object.fromEntries(
            Object.entries(content).map(([path, pieces]) => [
              path,
              Buffer.concat(pieces.map((n) => noise(MiB, n * 0.1))),
            ]),
          );
          const fresh = new Set(Object.values(content).flat()).difference(known);
          const { uploaded, pack } = await seal(store, folder, put(folder, files));
          assert.equal(uploaded, fresh.size * MiB);
          for (const one of fresh) known.add(one);
          const to = temporary(t);
          await openPack({ pack, org, project, fetch: store.fetch, folder: to });
          for (const [path, expected] of Object.entries(files))
            assert.ok(readFileSync(join(to, path)).equals(expected));
          rmSync(folder, { recursive: true });
          rmSync(to, { recursive: true });
        }
      }),
      { numRuns: 10 },
    );
  });

  test('travels in batches, each chunk once', async (t) => {
    const folder = temporary(t);
    const small = Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`f${n}`, `content ${n % 100}`]));
    const store = new PackStore();
    const { uploaded } = await seal(store, folder, put(folder, small));
    assert.equal(store.chunks.size, 100);
    assert.equal(store.objects.size, 101);
    assert.equal(
      uploaded,
      [...store.chunks.values()].reduce((sum, { size }) => sum + size, 0),
    );
  });

  test('is refused before anything travels when it could not be laid out again', async (t) => {
    const folder = temporary(t);
    const store = new PackStore();
    for (const entry of [
      { kind: 'link', path: 'a', target: '/etc/passwd' },
      { kind: 'link', path: 'a', target: '../b' },
      { kind: 'link', path: 'a/b', target: 'x/../../../c' },
      { kind: 'file', path: 'a\nb', executable: false },
      { kind: 'file', path: '../a', executable: false },
    ] as PackEntry[])
      await assert.rejects(
        seal(store, folder, [entry]),
        (error) => error instanceof ClientError && error.code === 'bad-pack',
      );
    assert.equal(store.travelled, 0);
  });

  test('fails whole when an upload fails, at once or in flight', async (t) => {
    const folder = temporary(t);
    const entries = put(folder, Object.fromEntries(Array.from({ length: 100 }, (_, n) => [`f${n}`, `content ${n}`])));
    for (const failing of [1, 2, 4]) {
      const store = new PackStore();
      let calls = 0;
      const uploadObjects: typeof store.calls.uploadObjects = (objects) => {
        calls += 1;
        return calls === failing ? Promise.reject(new Error('cut')) : store.calls.uploadObjects(objects);
      };
      const custodian = { ...store.calls, uploadObjects };
      await assert.rejects(sealPack({ folder, entries, org, project, dedupeKey, custodian, rng: systemRng }), /cut/);
    }
  });
});

describe('opening', () => {
  test('refuses objects that are not what their digest names, and another organisation’s', async (t) => {
    const folder = temporary(t);
    const store = new PackStore();
    const { pack } = await seal(store, folder, put(folder, { a: 'alpha', b: 'beta' }));
    const [chunk] = store.chunks.values();
    assert.ok(chunk !== undefined);
    for (const digest of [pack.manifest, chunk.digest]) {
      const fetch: typeof store.fetch = async (asked) => {
        const bytes = await store.fetch(asked);
        if (asked === digest) bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
        return bytes;
      };
      await assert.rejects(openPack({ pack, org, project, fetch, folder: temporary(t) }), { code: 'bad-pack' });
    }
    const other = { pack, org: newId('org', systemRng), project, fetch: store.fetch, folder: temporary(t) };
    await assert.rejects(openPack(other));
    assert.deepEqual(readdirSync(other.folder), []);
  });

  test('writes nothing more once it has failed', async (t) => {
    const [from, to] = [temporary(t), temporary(t)];
    const store = new PackStore();
    const { pack } = await seal(
      store,
      from,
      put(from, Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`d${n}/f`, `${n}`]))),
    );
    let fetched = 0;
    const fetch: typeof store.fetch = async (digest) => {
      fetched += 1;
      if (fetched === 5) throw new Error('cut');
      return store.fetch(digest);
    };
    await assert.rejects(openPack({ pack, org, project, fetch, folder: to }), /cut/);
    const there = readdirSync(to).length;
    rmSync(to, { recursive: true });
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(there < 40);
    assert.throws(() => readdirSync(to));
  });
});
