import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ManualClock, newId, seededRng } from '@ringfence/base';
import { z } from 'zod';
import { LedgerError } from '../ledger-error.ts';
import { EMPTY_LEDGER, verifyEntries, type LedgerEntry } from './ledger-chain.ts';
import { createLedger, type LedgerRows } from './ledger.ts';

const org = newId('org', seededRng('ledger'));
const schema = z.strictObject({ type: z.enum(['made', 'gone']), count: z.int() });

function inMemory(): { rows: LedgerRows<undefined>; entries: LedgerEntry[] } {
  const entries: LedgerEntry[] = [];
  const rows: LedgerRows<undefined> = {
    lockHead: async () => entries.at(-1) ?? EMPTY_LEDGER,
    insert: async (_tx, _org, entry) => void entries.push(entry),
  };
  return { rows, entries };
}

async function written(): Promise<LedgerEntry[]> {
  const { rows, entries } = inMemory();
  const ledger = createLedger({ rows, schema, clock: new ManualClock() });
  for (let count = 0; count < 5; count += 1) await ledger.append(undefined, org, { type: 'made', count });
  return entries;
}

test('entries chain, and verify to the last one’s hash', async () => {
  const entries = await written();
  assert.deepEqual(verifyEntries(EMPTY_LEDGER, org, entries), { seq: 5, hash: entries[4]?.hash });
});

test('a changed, dropped, repeated or swapped entry is found', async () => {
  const [a, b, c, d] = await written();
  assert.ok(a && b && c && d);
  const changed = { ...b, body: Buffer.from(Buffer.from(b.body).toString().replace('"count":1', '"count":7')) };
  for (const entries of [[a, changed, c], [a, c], [a, a], [b], [a, c, b, d], [a, { ...b, hash: c.hash }]])
    assert.throws(() => verifyEntries(EMPTY_LEDGER, org, entries), LedgerError);
});

test('any flipped bit of an entry is found, and entries of another organisation or time', async () => {
  const entries = await written();
  const [first] = entries;
  assert.ok(first !== undefined);
  for (let at = 0; at < first.body.length * 8; at += 1) {
    const body = Buffer.from(first.body);
    body.writeUInt8(body.readUInt8(at >> 3) ^ (1 << (at & 7)), at >> 3);
    assert.throws(() => verifyEntries(EMPTY_LEDGER, org, [{ ...first, body }]), { code: 'broken-ledger' });
  }
  const spaced = Buffer.from(Buffer.from(first.body).toString().replace('{', '{ '));
  const hash = createHash('sha256').update('ringfence/ledger/v1').update(spaced).digest('hex') as typeof first.hash;
  assert.throws(() => verifyEntries(EMPTY_LEDGER, org, [{ ...first, body: spaced, hash }]), { code: 'broken-ledger' });
  const other = newId('org', seededRng('another'));
  assert.throws(() => verifyEntries(EMPTY_LEDGER, other, entries), { code: 'broken-ledger' });
  const moved = { ...first, at: (first.at + 1) as typeof first.at };
  assert.throws(() => verifyEntries(EMPTY_LEDGER, org, [moved]), { code: 'broken-ledger' });
});

test('an event that the schema does not know is refused and writes nothing', async () => {
  const { rows, entries } = inMemory();
  const ledger = createLedger({ rows, schema, clock: new ManualClock() });
  await assert.rejects(
    ledger.append(undefined, org, { type: 'made', count: 1, name: 'payload' } as never),
    LedgerError,
  );
  assert.equal(entries.length, 0);
});
