import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { test } from 'node:test';
import { scramVerifier } from './scram-verifier.ts';

test('the verifier answers the exchange printed in RFC 7677, section 3', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
  const message = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=${salt},i=4096,c=biws,r=${nonce}`;
  const verifier = scramVerifier('pencil', Buffer.from(salt, 'base64'));
  const match = /^SCRAM-SHA-256\$4096:([^$]+)\$([^:]+):(.+)$/.exec(verifier);
  assert.ok(match);
  const [, printedSalt, stored = '', server = ''] = match;
  assert.equal(printedSalt, salt);
  const signature = createHmac('sha256', Buffer.from(server, 'base64')).update(message).digest('base64');
  assert.equal(signature, '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
  const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
  const mask = createHmac('sha256', Buffer.from(stored, 'base64')).update(message).digest();
  const clientKey = proof.map((byte, at) => byte ^ (mask[at] ?? 0));
  assert.equal(createHash('sha256').update(clientKey).digest('base64'), stored);
});
