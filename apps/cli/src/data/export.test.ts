import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { canonicalJson, newId } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import { sealPack } from '@ringfence/client/pack';
import { DedupeKey, sha256Hex, type Digest } from '@ringfence/crypto/seal';
import { signStatement } from '@ringfence/keyring';
import { SampleOrganisation } from '@ringfence/keyring/samples';
import { exportManifest, type ExportManifest } from '@ringfence/protocol/payload';
import { checkManifest, signManifest } from './export-manifest.ts';
import { exportedLogs, nameOf } from './exported-logs.ts';
import { listFiles, writeVersion } from './write-export.ts';

const sample = new SampleOrganisation('export');
const { rng, org, now: at } = sample;
const { id: device, sign: key } = sample.addDevice();
const root = mkdtempSync(join(tmpdir(), 'ringfence-export-'));
after(() => rmSync(root, { recursive: true, force: true }));

const files: ExportManifest['files'] = [
  { path: 'organisation.ndjson', bytes: 3, sha256: sha256Hex(Buffer.from('{}\n')) },
];
const withheld: ExportManifest['withheld'] = [
  { what: 'values of secrets, and private keys', why: 'never-read-back' },
  { what: 'trial version 2', why: 'refused' },
];

test('the device signs what is there and what is not, and neither list can be changed', () => {
  const manifest = exportManifest.parse(
    JSON.parse(canonicalJson(signManifest({ org, device, key, at }, { files, withheld }))),
  );
  assert.equal(checkManifest(manifest, sample.keyring), at);
  for (const changed of [
    { withheld: withheld.slice(0, 1) },
    { withheld: [] },
    { withheld: [...withheld, { what: 'trial version 3', why: 'in-place' as const }] },
    { withheld: withheld.map((one) => ({ ...one, why: 'not-asked' as const })) },
  ])
    assert.throws(() => checkManifest({ ...manifest, ...changed }, sample.keyring), /other things as withheld than/);
  assert.throws(() => checkManifest({ ...manifest, files: [] }, sample.keyring), /other files than/);
  const stranger = signManifest({ org, device: newId('device', rng), key, at }, { files, withheld });
  assert.throws(() => checkManifest(stranger, sample.keyring), /no device of the keyring/);
});

test('an export of an earlier release, which signed its files alone, still holds', () => {
  const list = { count: files.length, digest: sha256Hex(Buffer.from(canonicalJson(files))) };
  const signed = signStatement('export-manifest', { v: 1, org, device, at, files: list }, [key]);
  assert.equal(checkManifest({ signed, files, withheld }, sample.keyring), at);
});

test('each attempt has its log in the export or is named', () => {
  const [one, two] = [newId('job', rng), newId('job', rng)];
  const line = (table: string, job: string, attempt: number): string => canonicalJson({ table, job, attempt });
  const lines = [
    line('attempt', one, 1),
    line('attempt', one, 2),
    line('attempt', two, 1),
    line('attempt_log', one, 2),
  ];
  const { kept, elsewhere } = exportedLogs([...lines, line('job', two, 1), 'no json']);
  assert.deepEqual(kept.map(nameOf), [`log of ${one}, attempt 2`]);
  assert.deepEqual(elsewhere.map(nameOf), [`log of ${one}, attempt 1`, `log of ${two}, attempt 1`]);
});

/** A custodian's objects and one version of two files. */
async function storedVersion() {
  const objects = new Map<Digest, Uint8Array>();
  const folder = join(root, 'source');
  mkdirSync(folder, { recursive: true });
  for (const name of ['a.txt', 'b.txt']) writeFileSync(join(folder, name), `of ${name}`);
  const custodian = {
    presentChunks: async () => [],
    registerChunks: async () => {},
    async uploadObjects(sealed: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
      const stored = [];
      for await (const bytes of sealed) {
        const digest = sha256Hex(bytes);
        objects.set(digest, Uint8Array.from(bytes));
        stored.push(digest);
      }
      return stored;
    },
  };
  const project = newId('project', rng);
  const entries = ['a.txt', 'b.txt'].map((path) => ({ kind: 'file', path, executable: false }) as const);
  const { pack } = await sealPack({
    folder,
    entries,
    org,
    project,
    dedupeKey: DedupeKey.generate(rng),
    custodian,
    rng,
  });
  const row = { name: 'rows', artifact: newId('artifact', rng), version: 1 };
  const source = {
    profile: { org },
    custodian: {
      openArtifact: async () => ({ project, pack }),
      async object(digest: Digest) {
        const bytes = objects.get(digest);
        if (bytes === undefined) throw new ClientError('bad-response', 'there is no such object');
        return Readable.from([Buffer.from(bytes)]);
      },
    },
  };
  return { objects, pack, row, source };
}

test('a version is in an export whole, or withheld with nothing of it there', async () => {
  const { objects, pack, row, source } = await storedVersion();
  const wish = { withData: true, onProgress: () => {} };
  const named: ExportManifest['withheld'] = [];
  const whole = join(root, 'whole');
  await writeVersion(source, { ...wish, folder: whole }, { row, withheld: named });
  assert.equal(readFileSync(join(whole, 'data', row.artifact, '1', 'b.txt'), 'utf8'), 'of b.txt');
  assert.deepEqual(
    [named, (await listFiles(whole)).length, readdirSync(join(whole, 'data', row.artifact))],
    [[], 2, ['1']],
  );
  const last = [...objects.keys()].findLast((digest) => digest !== pack.manifest) ?? assert.fail();
  objects.delete(last);
  const part = join(root, 'part');
  await writeVersion(source, { ...wish, folder: part }, { row, withheld: named });
  assert.deepEqual(named, [{ what: 'rows version 1', why: 'refused' }]);
  assert.ok(!existsSync(join(part, 'data', row.artifact, '1')));
  assert.deepEqual(await listFiles(part), []);
});
