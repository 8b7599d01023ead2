import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { DedupeKey } from '@ringfence/crypto/seal';
import { sha256Hex } from '@ringfence/crypto/sign';
import { codeDigest } from '@ringfence/protocol/federation';
import { hashPack } from './hash-pack.ts';
import { PackStore } from './pack-store.fixture.ts';
import { sealPack, type PackEntry } from './seal-pack.ts';

const ENTRIES: readonly PackEntry[] = [
  { kind: 'file', path: 'train.py', executable: true },
  { kind: 'file', path: 'a.bin', executable: false },
  { kind: 'link', path: 'main.py', target: 'train.py' },
];

async function sealedCode(files: Readonly<Record<string, Uint8Array>>, entries = ENTRIES) {
  const folder = mkdtempSync(join(tmpdir(), 'rf-code-'));
  try {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
    const store = new PackStore();
    const [org, project] = [newId('org', rng), newId('project', rng)];
    const dedupeKey = DedupeKey.generate(rng);
    const { pack } = await sealPack({ folder, entries, org, project, dedupeKey, custodian: store.calls, rng });
    return { pack, entries: await hashPack({ pack, org, project, fetch: store.fetch }) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('code has one digest in every organisation, whatever keys sealed it, and another when a byte or a mode differs', async () => {
  const files = { 'train.py': Buffer.from('print(1)\n'), 'a.bin': rng.bytes(1_500_000) };
  const [ours, theirs] = [await sealedCode(files), await sealedCode(files)];
  assert.notEqual(ours.pack.manifest, theirs.pack.manifest);
  assert.equal(codeDigest(ours.entries), codeDigest(theirs.entries));
  const large = ours.entries.find(({ path }) => path === 'a.bin');
  assert.deepEqual(large, {
    kind: 'file',
    path: 'a.bin',
    executable: false,
    sha256: sha256Hex(files['a.bin']),
    size: 1_500_000,
  });
  const edited = await sealedCode({ ...files, 'train.py': Buffer.from('print(2)\n') });
  const plain = await sealedCode(
    files,
    ENTRIES.map((entry) => (entry.kind === 'file' ? { ...entry, executable: false } : entry)),
  );
  const digests = [ours, edited, plain].map(({ entries }) => codeDigest(entries));
  assert.equal(new Set(digests).size, 3);
});
