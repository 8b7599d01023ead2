import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { fromHex, Secret, seededRng, toHex, utf8 } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import {
  openWithPassphrase,
  Passphrase,
  sealAtAnyCost,
  sealWithPassphrase,
  type PassphraseLock,
} from './passphrase.ts';
import { DEFAULT_COST, isAffordable, PASSPHRASE_HEADER_BYTES, readHeader, writeHeader } from './passphrase-header.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const rng = seededRng('passphrase');
const cheap = { memoryKiB: 32, passes: 1, lanes: 1 };
const secret = new Secret(rng.bytes(32));
const lock: PassphraseLock = { passphrase: new Passphrase('correct horse'), purpose: 'root-key' };

test('Argon2id: the vector of RFC 9106 §5.3', () => {
  const tag = argon2Sync('argon2id', {
    message: Buffer.alloc(32, 1),
    nonce: Buffer.alloc(16, 2),
    secret: Buffer.alloc(8, 3),
    associatedData: Buffer.alloc(12, 4),
    memory: 32,
    passes: 3,
    parallelism: 4,
    tagLength: 32,
  });
  assert.equal(tag.toString('hex'), '0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659');
});

test('opens with its passphrase and purpose alone, at the default cost', async () => {
  const sealed = await sealWithPassphrase(lock, secret, rng);
  assert.deepEqual(readHeader(sealed.slice(0, PASSPHRASE_HEADER_BYTES)).cost, DEFAULT_COST);
  assert.deepEqual((await openWithPassphrase(lock, sealed)).expose(), secret.expose());
  const other = { ...lock, passphrase: new Passphrase('correct horsf') };
  await assert.rejects(openWithPassphrase(other, sealed), { code: 'cannot-open' });
  await assert.rejects(openWithPassphrase({ ...lock, purpose: 'recovery-kit' }, sealed), { code: 'cannot-open' });
});

test('the layout: magic, cost, salt, box', async () => {
  const sealed = await sealAtAnyCost(lock, secret, rng, { memoryKiB: 40, passes: 2, lanes: 3 });
  assert.equal(toHex(sealed.subarray(0, 16)), '52465031000000280000000203000000');
  assert.equal(sealed.length, PASSPHRASE_HEADER_BYTES + 24 + 32 + 16);
  assert.deepEqual((await openWithPassphrase(lock, sealed)).expose(), secret.expose());
});

test('what a keyboard composes differently is one passphrase', async () => {
  const sealed = await sealAtAnyCost({ ...lock, passphrase: new Passphrase('Zoe\u0308') }, secret, rng, cheap);
  const opened = await openWithPassphrase({ ...lock, passphrase: new Passphrase('Zo\u00eb') }, sealed);
  assert.deepEqual(opened.expose(), secret.expose());
  assert.throws(() => new Passphrase(''), { code: 'bad-key' });
});

test('weak costs are not sealed with', async () => {
  for (const cost of [
    cheap,
    { ...DEFAULT_COST, memoryKiB: 19_455 },
    { ...DEFAULT_COST, passes: 1 },
    { ...DEFAULT_COST, lanes: 17 },
  ])
    await assert.rejects(sealWithPassphrase(lock, secret, rng, cost), { code: 'bad-key' });
});

test('costs that would exhaust the machine are refused before any work', async () => {
  const sealed = await sealAtAnyCost(lock, secret, rng, cheap);
  const box = sealed.subarray(PASSPHRASE_HEADER_BYTES);
  for (const cost of [
    { memoryKiB: 2 ** 20 + 1, passes: 1, lanes: 1 },
    { memoryKiB: 2 ** 32 - 1, passes: 1, lanes: 1 },
    { memoryKiB: 32, passes: 17, lanes: 1 },
    { memoryKiB: 32, passes: 0, lanes: 1 },
    { memoryKiB: 4096, passes: 1, lanes: 17 },
    { memoryKiB: 31, passes: 1, lanes: 4 },
    { memoryKiB: 32, passes: 1, lanes: 0 },
  ])
    await assert.rejects(openWithPassphrase(lock, Buffer.concat([writeHeader({ cost, salt: rng.bytes(16) }), box])), {
      code: 'cannot-open',
    });
});

test('every byte counts', async () => {
  const sealed = await sealAtAnyCost(lock, secret, rng, cheap);
  for (let at = 0; at < sealed.length; at += 1) {
    const broken = Uint8Array.from(sealed);
    broken[at] = (broken[at] ?? 0) ^ 1;
    await assert.rejects(openWithPassphrase(lock, broken), { code: 'cannot-open' }, `byte ${at}`);
    await assert.rejects(openWithPassphrase(lock, sealed.subarray(0, at)), { code: 'cannot-open' }, `cut at ${at}`);
  }
});

test(`hostile headers are read or refused with one code, in ${CASES} tries`, () => {
  let read = 0;
  for (let run = 0; run < CASES; run += 1) {
    const bytes = Buffer.from(rng.bytes(run % 4 === 0 ? run % 40 : PASSPHRASE_HEADER_BYTES));
    if (run % 3 > 0) Buffer.from('RFP1').copy(bytes);
    if (run % 6 > 2) bytes.subarray(13, 16).fill(0);
    try {
      const header = readHeader(bytes);
      assert.equal(Buffer.compare(writeHeader(header), bytes), 0);
      assert.equal(typeof isAffordable(header.cost), 'boolean');
      read += 1;
    } catch (error) {
      assert.ok(error instanceof CryptoError && error.code === 'cannot-open');
    }
  }
  assert.ok(read > CASES / 10);
});

test('a passphrase does not print', () => {
  const { passphrase } = lock;
  for (const text of [JSON.stringify(lock), inspect(passphrase), inspect(lock, { depth: 9 })])
    assert.equal(text.includes('horse') || text.includes(toHex(utf8('horse'))), false);
  assert.equal(fromHex(toHex(passphrase.secret.expose())).length, 13);
});
