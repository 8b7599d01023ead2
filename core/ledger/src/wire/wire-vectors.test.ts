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
  assert.equal(report.head, records.at(-1)?.hash);
  const sizes = records.map((record) => (record.kind === 'frame' && record.dir === 'in' ? record.size : 0));
  const frames = sizes.reduce<number>((sum, size) => sum + size, 0);
  assert.equal(report.bytesIn, frames + 3 * 8_192);
});

test('a journal that was cut or begun anew beside the keys of its connections does not verify', () => {
  const { records } = readJournal(Buffer.from(read('journal.jsonl')));
  const keys = JSON.parse(read('keys.json')) as LinkKeys;
  const sessions = readSessionKeys(read('sessions.jsonl'));
  const lastOpen = records.findLastIndex(({ kind }) => kind === 'open');
  for (const [kept, missing] of [
    [lastOpen, 1],
    [1, 3],
    [0, 3],
  ] as const) {
    const report = wireVerify({ records: records.slice(0, kept), sessions, keys });
    assert.equal(report.ok, false);
    const expected = Array.from({ length: missing }, () => ({ seq: kept, code: 'no-connection' }));
    assert.deepEqual(report.problems, expected);
  }
});
