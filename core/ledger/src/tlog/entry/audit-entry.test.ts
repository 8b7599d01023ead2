import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromUtf8, newId, seededRng, toBase64Url, utf8 } from '@ringfence/base';
import { RecordKey } from '@ringfence/crypto/record';
import fc from 'fast-check';
import { LedgerError } from '../../ledger-error.ts';
import { SampleLog } from '../sample-log.fixture.ts';
import { splitBundle } from '../tree/entry-bundle.ts';
import { verifyInclusion } from '../tree/inclusion-proof.ts';
import { leafHash } from '../tree/merkle-hash.ts';
import { claimedIndex, entryBytes, readAuditEntry, type AuditEvent } from './audit-entry.ts';
import { newSubjectHandle, openSubject, sealSubject } from './audit-subject.ts';

const rng = seededRng('audit entry');
const entry = toBase64Url(rng.bytes(16));
const handle = newSubjectHandle(rng);
const key = RecordKey.generate(rng);
const fields = { address: '203.0.113.7', name: 'Zoë', 'user-agent': 'ringfence/1' };

function event(more: Partial<AuditEvent> = {}): AuditEvent {
  return {
    v: 1,
    id: entry,
    at: 1_700_000_000_000,
    org: newId('org', rng),
    actor: { kind: 'member', id: null },
    action: 'session.start',
    outcome: 'allowed',
    reasons: ['second-factor'],
    objects: [newId('device', rng)],
    statements: ['ab'.repeat(32)],
    facts: { assurance: 2, passkey: true, method: 'webauthn' },
    subjects: [sealSubject(key, { entry, handle }, fields, rng)],
    ...more,
  };
}

test('an entry is canonical JSON with its index, and is read as it was written', () => {
  const made = event();
  const bytes = entryBytes(made, 41);
  assert.deepEqual(readAuditEntry(bytes), { ...made, seq: 41 });
  assert.match(fromUtf8(bytes), /^\{"action":"session.start","actor":\{"id":null,"kind":"member"\},"at":17/);
  for (const other of [
    fromUtf8(bytes).replace('"v":1', '"v": 1'),
    fromUtf8(bytes).replace('"v":1', '"v":2'),
    fromUtf8(bytes).replace('{"action"', '{"z":0,"action"'),
    fromUtf8(bytes).slice(0, -1),
    '[]',
    'null',
    '',
  ])
    assert.equal(readAuditEntry(utf8(other)), undefined, other);
});

test('the index is found without reading the entry, whatever else is in it', () => {
  const code = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,9}$/);
  const facts = fc.dictionary(
    fc.oneof(code, fc.constantFrom('seq', 'statements')),
    fc.oneof(fc.maxSafeInteger(), fc.boolean(), code),
  );
  fc.assert(
    fc.property(fc.maxSafeNat(), facts, fc.array(code, { maxLength: 3 }), (seq, some, reasons) => {
      assert.equal(claimedIndex(entryBytes(event({ facts: { ...some }, reasons, statements: [] }), seq)), seq);
    }),
  );
  for (const text of ['', '{}', ',"statements":[', ',"seq":01,"statements":[', ',"seq":1', '"seq":1,"statements":['])
    assert.equal(claimedIndex(utf8(text)), undefined, text);
});

test('free text has no place outside sealed fields', () => {
  for (const more of [
    { action: 'Session start' },
    { action: 'x'.repeat(65) },
    { reasons: ['because I say so'] },
    { objects: ['admissions-2024'] },
    { facts: { note: 'Patient 17' } },
    { facts: { ratio: 0.5 } },
    { facts: { 'Free key': 1 } },
    { statements: ['short'] },
    { subjects: [{ handle: 'zoe', sealed: 'x' }] },
    { at: -1 },
    { extra: 1 },
  ])
    assert.throws(() => entryBytes(event(more as Partial<AuditEvent>), 0), LedgerError, JSON.stringify(more));
  assert.throws(() => entryBytes(event(), -1), LedgerError);
});

test('a person’s fields open with the person’s key, in that entry, under that handle, and nowhere else', () => {
  const sealed = sealSubject(key, { entry, handle }, fields, rng);
  assert.deepEqual(openSubject(key, entry, sealed), fields);
  const other = toBase64Url(rng.bytes(16));
  for (const attempt of [
    () => openSubject(RecordKey.generate(rng), entry, sealed),
    () => openSubject(key, other, sealed),
    () => openSubject(key, entry, { ...sealed, handle: other }),
  ])
    assert.throws(attempt, { code: 'cannot-open' });
  assert.ok(!Buffer.from(entryBytes(event(), 0)).includes('203.0.113.7'));
});

test('short and long names are equally long when sealed, up to a step', () => {
  const lengths = new Set(
    Array.from(
      { length: 100 },
      (_, at) => sealSubject(key, { entry, handle }, { name: 'x'.repeat(at) }, rng).sealed.length,
    ),
  );
  assert.deepEqual([...lengths], [224]);
  assert.throws(() => sealSubject(key, { entry, handle }, { name: 'x'.repeat(1025) }, rng));
  const much = Object.fromEntries(Array.from({ length: 4 }, (_, at) => [`f${at}`, 'x'.repeat(1000)]));
  assert.throws(() => sealSubject(key, { entry, handle }, much, rng), RangeError);
  const most = { ...much, f3: 'x'.repeat(800) };
  const longest = event({ subjects: [sealSubject(key, { entry, handle }, most, rng)] });
  assert.deepEqual(openSubject(key, entry, longest.subjects[0] ?? assert.fail()), most);
  assert.ok(readAuditEntry(entryBytes(longest, 0)) !== undefined);
});

test('erasure: a destroyed key opens nothing, and the entry still verifies, which needs no key', () => {
  const perished = RecordKey.generate(rng);
  const subjects = [sealSubject(perished, { entry, handle }, fields, rng)];
  const log = new SampleLog([entryBytes(event(), 0), entryBytes(event({ subjects }), 1)]);
  const [, stored] = splitBundle(log.edge.bundle) ?? [];
  assert.ok(stored !== undefined);
  const read = readAuditEntry(stored)?.subjects[0] ?? assert.fail();
  assert.deepEqual(openSubject(perished, entry, read), fields);
  perished.secret[Symbol.dispose]();
  assert.throws(() => openSubject(perished, entry, read), { code: 'cannot-open' });
  const claim = { index: 1, size: 2, leaf: leafHash(stored), root: log.view.root() };
  assert.ok(verifyInclusion(claim, log.view.proveInclusion(1)));
  assert.notEqual(
    sealSubject(key, { entry, handle }, fields, rng).sealed,
    sealSubject(key, { entry, handle }, fields, rng).sealed,
  );
});
