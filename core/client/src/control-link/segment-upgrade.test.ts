import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { fromHex, Secret, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { SigningKey } from '@ringfence/crypto/sign';
import { readJournal, readSessionKeys, wireVerify } from '@ringfence/ledger';
import { journalLines, journalParts } from './journal-parts.ts';
import { LinkJournal, type LinkParty } from './link-journal.ts';
import { temporaryFolder } from './party.fixture.ts';
import { closedSegments } from './segment-names.ts';

const VECTORS = join(import.meta.dirname, '../../../ledger/src/wire/vectors/link-v1');

test('a journal of the first format opens, is closed as a segment, and verifies as before', async (t) => {
  const folder = temporaryFolder(t);
  for (const name of ['journal.jsonl', 'sessions.jsonl']) cpSync(join(VECTORS, name), join(folder, name));
  const { records } = readJournal(readFileSync(join(folder, 'journal.jsonl')));
  const [start] = records;
  assert.ok(start?.kind === 'start' && start.format === 1);
  const told = JSON.parse(readFileSync(join(VECTORS, 'keys.json'), 'utf8'));
  const key = SigningKey.fromSeed(new Secret(fromHex(told.partySeed)));
  const party = { id: start.party, org: start.org, role: start.role } as LinkParty;
  const open = (): LinkJournal =>
    LinkJournal.open({
      folder,
      party,
      controlPlane: start.link,
      clock: systemClock,
      key,
      rng: systemRng,
      limits: { bytes: 4_096, age: 86_400_000 },
    });
  await open().close();
  const journal = open();
  assert.deepEqual(
    [1, 10, 34].map((seq) => journal.hashAt(seq)),
    [1, 10, 34].map((seq) => records[seq - 1]?.hash),
  );
  await journal.close();
  assert.deepEqual(
    closedSegments(folder).map(({ first, forms }) => [first, [...forms].toSorted()]),
    [[1, ['folded', 'steps']]],
  );
  const all = [...journalLines(journalParts(folder))];
  assert.deepEqual(all.slice(0, records.length), records);
  assert.deepEqual(
    all.slice(records.length).map(({ kind }) => kind),
    ['checkpoint', 'start', 'start'],
  );
  const sessions = readSessionKeys(readFileSync(join(folder, 'sessions.jsonl'), 'utf8'));
  assert.deepEqual(wireVerify({ records: all, sessions, keys: { ...told, signing: key } }).problems, []);
});
