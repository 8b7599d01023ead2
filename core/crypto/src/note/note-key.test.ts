import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { fromHex, Secret, seededRng, toHex, utf8 } from '@ringfence/base';
import { SigningKey, verifySignature } from '../sign/index.ts';
import { NoteKey, notePublicKey, notePublicKeyBytes, verifyNoteSignature } from './note-key.ts';

// RFC 8032 §7.1, test 2 (one byte 0x72).
const SEED = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
const PUBLIC = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
const SIGNATURE =
  '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

test('RFC 8032 §7.1 test 2: plain Ed25519, nothing before the text', () => {
  const key = NoteKey.fromSeed(new Secret(fromHex(SEED)));
  assert.equal(toHex(notePublicKeyBytes(key.publicKey)), PUBLIC);
  assert.equal(toHex(key.sign(utf8('r'))), SIGNATURE);
  assert.ok(verifyNoteSignature(key.publicKey, utf8('r'), fromHex(SIGNATURE)));
  assert.ok(!verifyNoteSignature(key.publicKey, utf8('s'), fromHex(SIGNATURE)));
  assert.ok(!verifyNoteSignature(key.publicKey, utf8('r'), fromHex(SIGNATURE).subarray(1)));
});

test('a note key never signs what a domain-separated signature covers, even with the same seed', () => {
  const rng = seededRng('note key');
  const note = NoteKey.generate(rng);
  const other = SigningKey.fromSeed(note.seed());
  assert.throws(() => note.sign(utf8('ringfence/frame/v1\0x')), TypeError);
  const signature = note.sign(utf8('ringfence/frame/v1 x'));
  assert.ok(!verifySignature(other.publicKey, 'ringfence/frame/v1', utf8('x'), signature));
});

test('weak points and other lengths are no public keys; the key shows itself to nobody', () => {
  assert.equal(notePublicKey(new Uint8Array(32)), undefined);
  assert.equal(notePublicKey(fromHex(PUBLIC).subarray(1)), undefined);
  const key = NoteKey.fromSeed(new Secret(fromHex(SEED)));
  assert.equal(notePublicKey(fromHex(PUBLIC)), key.publicKey);
  assert.ok(!`${inspect(key, { depth: 9, showHidden: true })}${JSON.stringify(key)}`.includes(SEED.slice(0, 8)));
});
