import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { DedupeKey } from '@ringfence/crypto/seal';
import { PackStore } from './pack-store.fixture.ts';
import { sealPack, type SealPackOptions } from './seal-pack.ts';

const MiB = 1_048_576;
/** What sealing adds to a chunk and what a manifest takes are less than this for each. */
const MARGIN = 4_096;

/** A folder of 40 chunks, and a store whose link is cut when 8 parts of 4 MiB have arrived and the next is halfway. */
function cutUpload(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-resume-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'large'), rng.bytes(40 * MiB));
  const store = new PackStore();
  let left = 8;
  const custodian: SealPackOptions['custodian'] = {
    ...store.calls,
    uploadObjects: async (objects) => {
      left -= 1;
      if (left >= 0) return store.calls.uploadObjects(objects);
      for await (const bytes of objects) {
        store.travelled += bytes.length;
        if (store.travelled > 34 * MiB) throw new Error('the link was cut');
      }
      throw new Error('no part is so small');
    },
  };
  const entries = [{ kind: 'file', path: 'large', executable: false }] as const;
  const [org, project] = [newId('org', rng), newId('project', rng)];
  const options = { folder, entries, org, project, dedupeKey: DedupeKey.generate(rng), rng };
  return { store, cut: { ...options, custodian }, whole: { ...options, custodian: store.calls } };
}

test('a device goes on with the parts that were acknowledged, in another process too', async (t) => {
  const { store, cut, whole } = cutUpload(t);
  await assert.rejects(sealPack(cut), /cut/);
  assert.ok(store.travelled >= 32 * MiB);
  const { uploaded } = await sealPack(whole);
  assert.equal(uploaded, 8 * MiB, 'what was acknowledged does not travel again');
  assert.ok(store.travelled < 44 * MiB + 90 * MARGIN, 'a cut costs less than 4 MiB');
});

test('an agent, which is told of no chunk, goes on with what it knows to have arrived', async (t) => {
  const { store, cut, whole } = cutUpload(t);
  const arrived = new Map();
  const untold = { presentChunks: async () => [], registerChunks: async () => {} };
  await assert.rejects(sealPack({ ...cut, custodian: { ...cut.custodian, ...untold }, arrived }), /cut/);
  const { uploaded } = await sealPack({ ...whole, custodian: { ...whole.custodian, ...untold }, arrived });
  assert.equal(uploaded, 8 * MiB);
  assert.ok(store.travelled < 44 * MiB + 90 * MARGIN);
});

test('small files share a request, however many they are', async (t) => {
  const { store, whole } = cutUpload(t);
  const names = Array.from({ length: 64 }, (_, index) => `small-${index}`);
  for (const name of names) writeFileSync(join(whole.folder, name), rng.bytes(100));
  let requests = 0;
  const uploadObjects: SealPackOptions['custodian']['uploadObjects'] = (objects) => {
    requests += 1;
    return store.calls.uploadObjects(objects);
  };
  const entries = names.map((path) => ({ kind: 'file', path, executable: false }) as const);
  await sealPack({ ...whole, entries, custodian: { ...store.calls, uploadObjects } });
  assert.equal(requests, 3, 'two batches and the manifest');
});
