import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ID_PREFIX, isId, newId, type IdKind } from './id.ts';
import { seededRng, type Rng } from './rng.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const valueOf = (letters: string): bigint =>
  letters.split('').reduce((sum, letter) => sum * 32n + BigInt(ALPHABET.indexOf(letter)), 0n);
const exactly = (bytes: Uint8Array): Rng => ({ bytes: () => bytes });
const kinds = Object.keys(ID_PREFIX) as IdKind[];

test('an id carries all 128 bits, after its prefix', () => {
  fc.assert(
    fc.property(fc.constantFrom(...kinds), fc.uint8Array({ minLength: 16, maxLength: 16 }), (kind, bytes) => {
      const id = newId(kind, exactly(bytes));
      const [prefix, letters = ''] = id.split('_');
      assert.equal(prefix, ID_PREFIX[kind]);
      assert.equal(valueOf(letters).toString(16).padStart(32, '0'), Buffer.from(bytes).toString('hex'));
      assert.ok(isId(kind, id));
    }),
  );
  assert.equal(newId('job', exactly(new Uint8Array(16))), `job_${'a'.repeat(26)}`);
  assert.equal(newId('job', exactly(new Uint8Array(16).fill(255))), `job_h${'7'.repeat(25)}`);
});

test('an id is of one kind only', () => {
  const rng = seededRng('ids');
  for (const kind of kinds) {
    const id = newId(kind, rng);
    for (const other of kinds) assert.equal(isId(other, id), other === kind);
  }
  assert.equal(new Set(Object.values(ID_PREFIX)).size, kinds.length);
});

test('other spellings are no ids', () => {
  const letters = 'a'.repeat(26);
  for (const text of [
    '',
    'job_',
    letters,
    `JOB_${letters}`,
    `job_${letters.toUpperCase()}`,
    `job_${letters}a`,
    `job_${letters.slice(1)}`,
    `job_i${'a'.repeat(25)}`,
    `job_${'a'.repeat(25)}1`,
    `job_${'a'.repeat(25)}é`,
    `job-${letters}`,
    ` job_${letters}`,
    `job_${letters}\n`,
    `job_${letters}\u0000`,
  ])
    assert.equal(isId('job', text), false, JSON.stringify(text));
});

test('whatever passes is written back as it was, in 100,000 tries', () => {
  const rng = seededRng('hostile ids');
  let passed = 0;
  for (let run = 0; run < 100_000; run += 1) {
    const letters = [...rng.bytes(26)].map((byte) => ALPHABET.charAt(byte % 32)).join('');
    const text = `job_${run % 5 === 0 ? letters.slice(1) : letters}`;
    if (!isId('job', text)) continue;
    passed += 1;
    const bytes = Buffer.from(valueOf(letters).toString(16).padStart(32, '0'), 'hex');
    assert.equal(newId('job', exactly(bytes)), text);
  }
  assert.ok(passed > 10_000 && passed < 50_000, String(passed));
});
