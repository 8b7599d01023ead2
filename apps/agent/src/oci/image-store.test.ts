import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { ImageStore } from './image-store.ts';

test('whoever leaves does not wait for an image that another job is fetching', { timeout: 20_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-images-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const store = new ImageStore(folder, 1_000_000, new ManualClock());
  const digest = `sha256:${'a'.repeat(64)}`;
  const fetching = Promise.withResolvers<never>();
  const first = store.use(digest, () => fetching.promise, new AbortController().signal);
  const leaving = new AbortController();
  const second = store.use(digest, () => assert.fail('one fetches'), leaving.signal);
  leaving.abort();
  await assert.rejects(second, { name: 'AbortError' });
  fetching.reject(new Error('the registry went away'));
  await assert.rejects(first, /went away/);
});
