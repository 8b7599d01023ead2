import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { fromBase64Url, seededRng } from '@ringfence/base';
import { fingerprintWords, keyIdOf, proquint } from './key-fingerprint.ts';
import { SigningKey } from './signing-key.ts';

test('proquints of the paper', () => {
  const vectors: readonly [string, string][] = [
    ['127.0.0.1', 'lusab-babad'],
    ['63.84.220.193', 'gutih-tugad'],
    ['63.118.7.35', 'gutuk-bisog'],
    ['140.98.193.141', 'mudof-sakat'],
    ['64.255.6.200', 'haguz-biram'],
    ['128.30.52.45', 'mabiv-gibot'],
    ['147.67.119.2', 'natag-lisaf'],
    ['212.58.253.68', 'tibup-zujah'],
    ['216.35.68.215', 'tobog-higil'],
    ['216.68.232.21', 'todah-vobij'],
    ['198.81.129.136', 'sinid-makam'],
    ['12.110.110.204', 'budov-kuras'],
  ];
  for (const [address, words] of vectors) {
    const bytes = Buffer.from(address.split('.').map(Number));
    assert.equal(`${proquint(bytes.readUInt16BE(0))}-${proquint(bytes.readUInt16BE(2))}`, words);
  }
});

test('every 16 bits have their own word', () => {
  const words = new Set(Array.from({ length: 65_536 }, (_, value) => proquint(value)));
  assert.equal(words.size, 65_536);
});

test('fingerprint and key id come from the hash of the raw key', () => {
  const { publicKey } = SigningKey.generate(seededRng('fingerprint'));
  const digest = createHash('sha256').update(fromBase64Url(publicKey)).digest();
  assert.equal(keyIdOf(publicKey), digest.toString('hex').slice(0, 32));
  assert.match(fingerprintWords(publicKey), /^([bdfghjklmnprstvz][aiou]){2}[a-z](-([a-z]{5})){5}$/);
  const words = [0, 2, 4, 6, 8, 10].map((at) => proquint(digest.readUInt16BE(at)));
  assert.equal(fingerprintWords(publicKey), words.join('-'));
});
