import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemRng, type Rng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { makeKeyFile, openKeyFile } from './key-file.ts';

test('a key rests sealed, opens in its own role alone, is never overwritten, and can be typed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-key-file-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'passphrase'), 'five random words for a test');
  // Seeds of keys that begin with a dash come first.
  const dashed: Uint8Array[] = [];
  while (dashed.length < 2) {
    const seed = systemRng.bytes(32);
    if (SigningKey.generate({ bytes: () => Uint8Array.from(seed) }).publicKey.startsWith('-')) dashed.push(seed);
  }
  const rng: Rng = { bytes: (length) => (length === 32 ? dashed.shift() : undefined) ?? systemRng.bytes(length) };
  const terminal = { json: true, watched: false, line: () => {}, value: () => {}, note: () => {}, raw: () => {} };
  const context = { terminal, clock: systemClock, rng, home: folder, stdin: process.stdin };
  const flags = { 'key-file': join(folder, 'key'), 'passphrase-file': join(folder, 'passphrase') };
  const made = await makeKeyFile(context, flags, 'admitter-key');
  assert.equal(dashed.length, 0);
  assert.ok(!made.publicKey.startsWith('-'));
  assert.equal((await openKeyFile(context, flags, 'admitter-key')).publicKey, made.publicKey);
  await assert.rejects(openKeyFile(context, flags, 'issuer-key'), { code: 'cannot-open' });
  await assert.rejects(makeKeyFile(context, flags, 'admitter-key'), { code: 'bad-file' });
});
