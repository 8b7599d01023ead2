import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { Secret, seededRng, toBase64Url } from '@ringfence/base';
import { SigningKey } from '../sign/signing-key.ts';
import { deriveNoteKey } from './derive-note-key.ts';

test('a note key comes from the signing key by HKDF, one for each purpose, always the same', () => {
  const seed = seededRng('note').bytes(32);
  const signing = SigningKey.fromSeed(new Secret(Uint8Array.from(seed)));
  const [log, witness] = [deriveNoteKey(signing, 'log'), deriveNoteKey(signing, 'witness')];
  assert.notEqual(log.publicKey, witness.publicKey);
  assert.notEqual(log.publicKey as string, signing.publicKey as string);
  assert.equal(deriveNoteKey(signing, 'log').publicKey, log.publicKey);
  // RFC 5869 §2.2 and §2.3 by hand: no salt is a key of zeros, and 32 bytes are one block.
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(seed).digest();
  const block = createHmac('sha256', extracted).update('ringfence/note-key/v1 log').update(Uint8Array.of(1)).digest();
  assert.equal(toBase64Url(log.seed().expose()), toBase64Url(block));
});
