import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import { RecordKey } from '@ringfence/crypto/record';
import { sha256Hex } from '@ringfence/crypto/seal';
import type { ChunkReference } from '@ringfence/protocol/payload';
import { AttemptFolder } from '../attempt/attempt-folder.ts';
import { forgetUpload, hasUpload, UploadNote } from './upload-note.ts';

const key = RecordKey.generate(rng);
const plan = {
  project: newId('project', rng),
  outputs: [
    { artifact: newId('artifact', rng), version: 1, folder: 'out-0', without: 'ckpt' },
    { artifact: newId('artifact', rng), version: 3, folder: 'out-1' },
  ],
};

function begun(t: TestContext): { kept: AttemptFolder; note: UploadNote } {
  const state = mkdtempSync(join(tmpdir(), 'ringfence-note-'));
  t.after(() => rmSync(state, { recursive: true, force: true }));
  const kept = new AttemptFolder(state, { job: newId('job', rng), attempt: 2 });
  kept.make();
  return { kept, note: UploadNote.begin(kept, plan, { key, rng }) };
}

function chunk(text: string): ChunkReference {
  const id = sha256Hex(Buffer.from(text));
  return { id, digest: id, key: toBase64Url(rng.bytes(32)), size: text.length };
}

const chunksOf = (note: UploadNote): string[][] =>
  note.arrived.map((known) => [...known.values()].map(({ key: dataKey }) => dataKey));

describe('the note of an upload', () => {
  it('tells the next process what arrived, under which key, and what it writes is read too', (t) => {
    const { kept, note } = begun(t);
    const [a, b, c] = [chunk('a'), chunk('b'), chunk('c')];
    note.add(0, [a]);
    note.add(1, [b]);
    const next = UploadNote.read(kept, { key, rng });
    assert.deepEqual(next?.plan, plan);
    assert.deepEqual(next.dedupeKey.expose(), note.dedupeKey.expose());
    assert.deepEqual(chunksOf(next), [[a.key], [b.key]]);
    next.add(1, [c]);
    const last = UploadNote.read(kept, { key, rng });
    assert.deepEqual(last === undefined ? [] : chunksOf(last), [[a.key], [b.key, c.key]]);
  });

  it('loses no line but the one that was cut off, whatever is written after it', (t) => {
    const { kept, note } = begun(t);
    const [a, b, c] = [chunk('a'), chunk('b'), chunk('c')];
    note.add(0, [a]);
    note.add(0, [b]);
    const path = join(kept.path, 'upload.sealed');
    writeFileSync(path, readFileSync(path).subarray(0, -10));
    UploadNote.read(kept, { key, rng })?.add(0, [c]);
    const next = UploadNote.read(kept, { key, rng });
    assert.deepEqual(next === undefined ? [] : chunksOf(next), [[a.key, c.key], []]);
  });

  it('takes no line at another place than it was written for, and no key of another machine', (t) => {
    const { kept, note } = begun(t);
    note.add(0, [chunk('a')]);
    const path = join(kept.path, 'upload.sealed');
    appendFileSync(path, `${readFileSync(path, 'utf8').split('\n')[1]}\n`);
    assert.equal(UploadNote.read(kept, { key, rng })?.arrived[0]?.size, 1);
    assert.equal(UploadNote.read(kept, { key: RecordKey.generate(rng), rng }), undefined);
    assert.ok(!readFileSync(path, 'utf8').includes(plan.project));
  });

  it('does not outlive the machine’s run, or the attempt', (t) => {
    const { kept } = begun(t);
    assert.ok(hasUpload(kept));
    writeFileSync(join(kept.path, 'upload.boot'), '00000000-0000-0000-0000-000000000000');
    assert.ok(!hasUpload(kept) && UploadNote.read(kept, { key, rng }) === undefined);
    const other = begun(t).kept;
    forgetUpload(other);
    assert.ok(!hasUpload(other));
  });
});
