import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRng, utf8 } from '@ringfence/base';
import { ObjectStore } from './object-store.ts';

test('an object that cannot be kept leaves nothing on the disk', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'rf-objects-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let failing = true;
  const store = await ObjectStore.open(folder, systemRng, (point) => {
    if (failing && point === 'object-before-rename') throw new Error('no space');
  });
  const send = async (): Promise<string> => {
    const object = await store.receive();
    await object.write(utf8('sealed'));
    return (await object.keep()).digest;
  };
  await assert.rejects(send(), /no space/);
  assert.deepEqual(readdirSync(join(folder, 'incoming')), []);
  failing = false;
  assert.ok(store.has((await send()) as never));
  assert.deepEqual(readdirSync(join(folder, 'incoming')), []);
});
