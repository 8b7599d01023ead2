import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  fromBase64Url,
  fromHex,
  Secret,
  seededRng,
  toBase64Url,
  toHex,
  type OrgId,
  type ProjectId,
} from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { DataKey } from '../object-format/data-key.ts';
import { KeyEncryptionKey, type WrappedKey } from '../object-format/key-encryption-key.ts';
import vectors from '../object-format/vectors/object-format.json' with { type: 'json' };
import { chunkId, DedupeKey } from '../seal/chunk-id.ts';
import { wrapDataKey } from '../seal/wrap-data-key.ts';
import { unwrapDataKey } from './unwrap-data-key.ts';

const rng = seededRng('wrapped-key');
const identity = {
  ...vectors.identity,
  org: vectors.identity.org as OrgId,
  project: vectors.identity.project as ProjectId,
};
const kekOf = (id: string, version: number, key: Uint8Array): KeyEncryptionKey =>
  new KeyEncryptionKey(id, version, new Secret(key));
const key = rng.bytes(32);
const kek = kekOf('kek-a', 1, key);
const dataKey = DataKey.generate(rng);
const wrapped = wrapDataKey(kek, dataKey, identity, rng);

test('the vectors of another implementation', () => {
  const vector = vectors.wrap;
  const made = wrapDataKey(
    kekOf(vector.kek, vector.version, fromHex(vector.key)),
    DataKey.fromBytes(fromHex(vectors.dataKey)),
    identity,
    { bytes: () => fromHex(vector.nonce) },
  );
  assert.deepEqual(made, { kek: vector.kek, version: vector.version, box: vector.box });
  const plaintext = Uint8Array.from({ length: vectors.chunkId.plaintextSize }, (_, at) => (7 * at + 13) % 256);
  assert.equal(chunkId(DedupeKey.fromBytes(fromHex(vectors.chunkId.dedupeKey)), plaintext), vectors.chunkId.id);
});

test('the vectors of the hierarchy: organisation, project, data key', () => {
  const { hierarchy, dataKey: plain } = vectors;
  const { projectKey, wrapped: under } = hierarchy;
  const organisation = kekOf('organisation', projectKey.version, fromHex(hierarchy.organisationKey));
  const place = { ...identity, object: 'project-kek', version: under.version };
  const projectBytes = fromHex(hierarchy.projectKeyBytes);
  const made = wrapDataKey(organisation, DataKey.fromBytes(projectBytes), place, {
    bytes: () => fromHex(hierarchy.organisationNonce),
  });
  assert.deepEqual(made, projectKey);
  const opened = unwrapDataKey(organisation, projectKey, place).expose();
  const project = kekOf(identity.project, under.version, opened);
  assert.deepEqual(
    wrapDataKey(project, DataKey.fromBytes(fromHex(plain)), identity, { bytes: () => fromHex(hierarchy.projectNonce) }),
    under,
  );
  assert.equal(toHex(unwrapDataKey(project, under, identity).expose()), plain);
});

test('unwraps for its object and its KEK alone', () => {
  assert.equal(toHex(unwrapDataKey(kek, wrapped, identity).expose()), toHex(dataKey.expose()));
  const refused = (by: KeyEncryptionKey, box: WrappedKey, of = identity): void =>
    assert.throws(() => unwrapDataKey(by, box, of), { code: 'cannot-open' });
  refused(kekOf('kek-a', 1, rng.bytes(32)), wrapped);
  refused(kekOf('kek-b', 1, key), wrapped);
  refused(kekOf('kek-a', 2, key), wrapped);
  refused(kekOf('kek-b', 1, key), { ...wrapped, kek: 'kek-b' });
  refused(kekOf('kek-a', 2, key), { ...wrapped, version: 2 });
  refused(kek, wrapped, { ...identity, org: 'org_bbcdefghijklmnopqrstuvwxyz' as OrgId });
  refused(kek, wrapped, { ...identity, project: 'prj_ccccccccccccccccccccccccca' as ProjectId });
  refused(kek, wrapped, { ...identity, object: 'other' });
  refused(kek, wrapped, { ...identity, version: 4 });
});

test('every byte of the box counts, and hostile boxes are refused with one code', () => {
  const bytes = fromBase64Url(wrapped.box);
  assert.equal(bytes.length, 72);
  for (let at = 0; at < bytes.length; at += 1) {
    const broken = Uint8Array.from(bytes);
    broken[at] = (broken[at] ?? 0) ^ (1 << (at % 8));
    assert.throws(() => unwrapDataKey(kek, { ...wrapped, box: toBase64Url(broken) }, identity), {
      code: 'cannot-open',
    });
  }
  const codes = new Map<unknown, number>();
  for (let run = 0; run < 100_000; run += 1) {
    const noise = rng.bytes(run % 100 < 97 ? run % 44 : 72);
    const box = run % 3 === 0 ? Buffer.from(noise).toString('latin1') : toBase64Url(noise);
    let code: unknown = 'opened';
    try {
      unwrapDataKey(kek, { ...wrapped, box }, identity);
    } catch (error) {
      code = error instanceof CryptoError ? error.code : error;
    }
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  assert.deepEqual([...codes], [['cannot-open', 100_000]]);
});

test('a box of another length is no data key', () => {
  const short = { bytes: (length: number) => rng.bytes(length) };
  assert.throws(() => DataKey.fromBytes(new Uint8Array(31)), { code: 'bad-key' });
  assert.throws(() => DedupeKey.fromBytes(new Uint8Array(33)), { code: 'bad-key' });
  for (const bad of [
    () => kekOf('', 1, key),
    () => kekOf('k', 0, key),
    () => kekOf('k', 1.5, key),
    () => kekOf('k', 1, new Uint8Array(16)),
  ])
    assert.throws(bad, { code: 'bad-key' });
  assert.notEqual(wrapDataKey(kek, dataKey, identity, short).box, wrapped.box);
});

test('keys do not print', () => {
  const secret = toHex(dataKey.expose()).slice(0, 12);
  const printed = [dataKey, kek, DedupeKey.fromBytes(dataKey.expose())].flatMap((key) => [
    JSON.stringify(key),
    inspect(key),
  ]);
  for (const text of printed) assert.equal(text.includes(secret), false);
  assert.equal(JSON.stringify(kek), '{"id":"kek-a","version":1}');
});
