import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { fromHex, Secret } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { readJournal } from '../journal/journal-reader.ts';
import type { LinkKeys } from './recorded-connection.ts';
import { readSessionKeys } from './session-keys.ts';
import { wireVerify } from './wire-verify.ts';

const read = (name: string): string => readFileSync(new URL(`./vectors/link-v1/${name}`, import.meta.url), 'utf8');

test('a journal that was written in format 1 reads back and verifies to the last byte', () => {
  const { records, torn } = readJournal(Buffer.from(read('journal.jsonl')));
  const told = JSON.parse(read('keys.json')) as LinkKeys & { partySeed: string };
  const signing = SigningKey.fromSeed(new Secret(fromHex(told.partySeed)));
  const report = wireVerify({ records, sessions: readSessionKeys(read('sessions.jsonl')), keys: { ...told, signing } });
  assert.equal(torn, 0);
  assert.deepEqual(report.problems, []);
  assert.ok(report.smuggling.signaturesFixed);
  assert.equal(report.connections.length, 3);
  const sizes = records.map((record) => (record.kind === 'frame' && record.dir === 'in' ? record.size : 0));
  const frames = sizes.reduce<number>((sum, size) => sum + size, 0);
  assert.equal(report.bytesIn, frames + 3 * 8_192);
});
