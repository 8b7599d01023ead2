import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { sessionKeysIn } from './session-keys-file.ts';

const line = (conn: string): string =>
  `${JSON.stringify({ conn, 'control-plane': 'ab'.repeat(44), party: 'cd'.repeat(44) })}\n`;

test('a connection that comes up while its journal is verified is found, and is no connection that the journal must name', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-sessions-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'sessions.jsonl');
  const [before, meanwhile] = ['0'.repeat(16), '1'.repeat(16)];
  writeFileSync(path, line(before));
  const sessions = sessionKeysIn(path);
  assert.equal(sessions.get(meanwhile), undefined);
  appendFileSync(path, line(meanwhile));
  assert.deepEqual(sessions.get(meanwhile)?.party.key.expose(), sessions.get(before)?.party.key.expose());
  assert.deepEqual([...sessions.keys()], [before]);
});

test('a file that is not there holds no keys', () => {
  const sessions = sessionKeysIn('/nowhere/sessions.jsonl');
  assert.deepEqual([[...sessions.keys()], sessions.get('0'.repeat(16))], [[], undefined]);
});
