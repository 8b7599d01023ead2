// A reader that was written from docs/object-format.md alone, in Python without libraries, opens the vectors and what ours seals, and refuses what ours refuses.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fromHex, newId, Secret, seededRng, toHex } from '@ringfence/base';
import { DataKey, KeyEncryptionKey, sealObjectBytes, wrapDataKey } from '@ringfence/crypto/seal';
import vectors from '../../core/crypto/src/object-format/vectors/object-format.json' with { type: 'json' };
import { need } from '../../scripts/needs.ts';

const READER = join(import.meta.dirname, '../../tools/read_object.py');
const work = mkdtempSync(join(tmpdir(), 'ringfence-reader-'));
after(() => rmSync(work, { recursive: true, force: true }));
const rng = seededRng('object-reader');

/** What the reader makes of an object; undefined when it refuses. */
function theirs(keys: object, sealed: Uint8Array): string | undefined {
  const [keysFile, file] = [join(work, 'keys.json'), join(work, 'object')];
  writeFileSync(keysFile, JSON.stringify(keys));
  writeFileSync(file, sealed);
  const { status, stdout, stderr } = spawnSync('python3', [READER, keysFile, file], { maxBuffer: 2 ** 26 });
  if (status === 0) return toHex(stdout);
  assert.match(String(stderr), /does not open with these keys/);
  return undefined;
}

const plainOf = (size: number): string => toHex(Uint8Array.from({ length: size }, (_, at) => (7 * at + 13) % 256));

test('the vectors: objects under their data key, and under the keys of project and organisation', (t) => {
  if (!need(t, 'python3')) return;
  const { identity, dataKey, hierarchy, wrap } = vectors;
  const whole = vectors.objects.flatMap(({ sealed, plaintextSize }) =>
    sealed === undefined ? [] : [{ sealed, plaintextSize }],
  );
  assert.ok(whole.length >= 3);
  for (const { sealed, plaintextSize } of whole)
    assert.equal(theirs({ identity, dataKey }, fromHex(sealed)), plainOf(plaintextSize));
  const { sealed, plaintextSize } = whole.at(-1) ?? assert.fail();
  const wrapped = { kek: wrap.kek, version: wrap.version, box: wrap.box };
  assert.equal(theirs({ identity, wrapped, kekKey: wrap.key }, fromHex(sealed)), plainOf(plaintextSize));
  const above = { identity, ...hierarchy };
  assert.equal(theirs(above, fromHex(sealed)), plainOf(plaintextSize));
  assert.equal(theirs({ ...above, identity: { ...identity, version: 4 } }, fromHex(sealed)), undefined);
  const other = { ...hierarchy.projectKey, version: hierarchy.projectKey.version + 1 };
  assert.equal(theirs({ ...above, projectKey: other }, fromHex(sealed)), undefined);
});

test('what ours seals and wraps, through three segments; and no byte of it changed', (t) => {
  if (!need(t, 'python3')) return;
  const [org, project] = [newId('org', rng), newId('project', rng)];
  const identity = { org, project, object: newId('artifact', rng), version: 2 };
  const [organisationKey, projectKey] = [rng.bytes(32), rng.bytes(32)];
  const dataKey = DataKey.generate(rng);
  const kekOf = (id: string, version: number, key: Uint8Array) =>
    new KeyEncryptionKey(id, version, new Secret(Uint8Array.from(key)));
  const keys = {
    identity,
    organisationKey: toHex(organisationKey),
    projectKey: wrapDataKey(
      kekOf('organisation', 3, organisationKey),
      DataKey.fromBytes(Uint8Array.from(projectKey)),
      { org, project, object: 'project-kek', version: 9 },
      rng,
    ),
    wrapped: wrapDataKey(kekOf(project, 9, projectKey), dataKey, identity, rng),
  };
  for (const size of [0, 1, 4_095, 4_096, 4_097, 9_000]) {
    const plain = rng.bytes(size);
    const sealed = sealObjectBytes({ dataKey, identity, rng, segmentLog2: 12 }, plain).bytes;
    assert.equal(theirs(keys, sealed), toHex(plain), `${size} bytes`);
    const at = size % sealed.length;
    const changed = Uint8Array.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(theirs(keys, changed), undefined, `${size} bytes, byte ${at} changed`);
    assert.equal(theirs(keys, sealed.subarray(0, -1)), undefined, `${size} bytes, cut`);
  }
});
