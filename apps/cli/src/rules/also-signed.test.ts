import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { epochMs, newId, systemRng as rng, toBase64Url } from '@ringfence/base';
import { SigningKey } from '@ringfence/crypto/sign';
import { readStatement, signStatement, verifyStatement } from '@ringfence/keyring';
import { temporaryFolder } from '../cli-process.fixture.ts';
import { alsoSigned } from './also-signed.ts';

test('a second officer signs the very words of the first, once', (t) => {
  const file = join(temporaryFolder(t), 'signed.json');
  const [first, second] = [SigningKey.generate(rng), SigningKey.generate(rng)];
  const words = { org: newId('org', rng), salt: toBase64Url(rng.bytes(32)), at: epochMs(1), cedar: '// none' };
  const envelope = signStatement('policy', { v: 1, seq: 1, ...words }, [first]);
  writeFileSync(file, JSON.stringify(envelope));
  const both = alsoSigned(second, file).envelope;
  verifyStatement(readStatement('policy', both), [first.publicKey, second.publicKey], 2);
  assert.equal(both.payload, envelope.payload);
  writeFileSync(file, JSON.stringify(both));
  assert.equal(alsoSigned(second, file).envelope.signatures.length, 2);
  const loose = Buffer.from(JSON.stringify(readStatement('policy', envelope).claimed, undefined, 1)).toString('base64');
  writeFileSync(file, JSON.stringify({ ...envelope, payload: loose }));
  assert.throws(() => alsoSigned(second, file), { code: 'bad-file' });
});
