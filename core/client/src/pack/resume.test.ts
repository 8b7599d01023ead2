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

/** A folder of 80 chunks, and a store whose link is cut in the third of three batches. */
function cutUpload(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-resume-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'large'), rng.bytes(80 * MiB));
  const store = new PackStore();
  let left = 2;
  const custodian: SealPackOptions['custodian'] = {
    ...store.calls,
    uploadObjects: async (objects) => {
      left -= 1;
      if (left < 0) throw new Error('the link was cut');
      return store.calls.uploadObjects(objects);
    },
  };
  const entries = [{ kind: 'file', path: 'large', executable: false }] as const;
  const [org, project] = [newId('org', rng), newId('project', rng)];
  const options = { folder, entries, org, project, dedupeKey: DedupeKey.generate(rng), rng };
  return { store, cut: { ...options, custodian }, whole: { ...options, custodian: store.calls } };
}

test('a device goes on with the batches that were acknowledged, in another process too', async (t) => {
  const { store, cut, whole } = cutUpload(t);
  await assert.rejects(sealPack(cut), /cut/);
  const before = store.travelled;
  assert.ok(before >= 64 * MiB);
  const { uploaded } = await sealPack(whole);
  assert.equal(uploaded, 16 * MiB, 'the third batch alone');
  assert.ok(store.travelled < 80 * MiB + 90 * MARGIN, 'no chunk travelled twice');
});

test('an agent, which is told of no chunk, goes on with what it knows to have arrived', async (t) => {
  const { store, cut, whole } = cutUpload(t);
  const arrived = new Map();
  const untold = { presentChunks: async () => [], registerChunks: async () => {} };
  await assert.rejects(sealPack({ ...cut, custodian: { ...cut.custodian, ...untold }, arrived }), /cut/);
  const { uploaded } = await sealPack({ ...whole, custodian: { ...whole.custodian, ...untold }, arrived });
  assert.equal(uploaded, 16 * MiB);
  assert.ok(store.travelled < 80 * MiB + 90 * MARGIN, 'no chunk travelled twice');
});
