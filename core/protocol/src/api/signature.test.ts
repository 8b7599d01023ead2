import assert from 'node:assert/strict';
import { createPrivateKey, sign } from 'node:crypto';
import { test } from 'node:test';
import { newId, seededRng, systemRng, toBase64Url, randomBelow } from '@ringfence/base';
import { cpuMs } from '@ringfence/base/cpu-time';
import { SigningKey } from '@ringfence/crypto/sign';
import {
  contentDigest,
  readSignatureInput,
  signRequest,
  signatureBase,
  verifyRequest,
  type SignatureHeaders,
  type SignedRequest,
} from './signature.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;

const rng = seededRng('http signatures');
const key = SigningKey.generate(rng);
const signer = newId('device', rng);
const parameters = { created: 1_800_000_000, nonce: toBase64Url(rng.bytes(16)), signer };
const request: SignedRequest = { method: 'POST', path: '/v1/jobs', query: '?', body: Buffer.from('{"a":1}') };
const headers = signRequest(request, key, parameters);

test('the signature base and digest are those of RFC 9421 appendix B.2.6 and RFC 9530', () => {
  const base = signatureBase(
    [
      ['date', 'Tue, 20 Apr 2021 02:07:55 GMT'],
      ['@method', 'POST'],
      ['@path', '/foo'],
      ['@authority', 'example.com'],
      ['content-type', 'application/json'],
      ['content-length', '18'],
    ],
    '("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  );
  const testKey = createPrivateKey(
    '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n',
  );
  assert.equal(
    sign(null, Buffer.from(base), testKey).toString('base64'),
    'wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==',
  );
  // RFC 9530, appendix B.1.
  assert.equal(
    contentDigest(Buffer.from('{"hello": "world"}')),
    'sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:',
  );
});

test('a signed request verifies, and its parameters read back', () => {
  assert.equal(verifyRequest(request, headers, key.publicKey), true);
  assert.deepEqual(readSignatureInput(headers['signature-input']), parameters);
});

test('a change of any signed part, header or key is refused', () => {
  const changedRequests: SignedRequest[] = [
    { ...request, method: 'PUT' },
    { ...request, path: '/v1/jobs/x' },
    { ...request, query: '?a=1' },
    { ...request, body: Buffer.from('{"a":2}') },
  ];
  for (const changed of changedRequests) assert.equal(verifyRequest(changed, headers, key.publicKey), false);
  const changedHeaders: SignatureHeaders[] = [
    { ...headers, 'signature-input': headers['signature-input'].replace('1800000000', '1800000001') },
    { ...headers, 'signature-input': headers['signature-input'].replace(' "content-digest"', '') },
    { ...headers, 'signature-input': headers['signature-input'].replace('ed25519', 'hmac-sha256') },
    { ...headers, signature: headers.signature.replace(/.=:$/, 'A=:') },
    { ...headers, 'content-digest': contentDigest(Buffer.from('{"a":2}')) },
  ];
  for (const changed of changedHeaders) assert.equal(verifyRequest(request, changed, key.publicKey), false);
  assert.equal(verifyRequest(request, headers, SigningKey.generate(rng).publicKey), false);
});

test(`of ${CASES} mangled signature-input headers none reads but one that is written back the same`, (t) => {
  const good = headers['signature-input'];
  const pieces = ['"', ';', '=', '(', ')', ' ', '\n', 'created', '0', '-1', '9'.repeat(12), 'é', '\0', signer, good];
  const seed = `signature-input ${systemRng.bytes(4).join('.')}`;
  t.diagnostic(`seed ${seed}`);
  const draw = seededRng(seed);
  const started = cpuMs();
  let read = 0;
  for (let round = 0; round < CASES; round += 1) {
    const at = randomBelow(draw, good.length);
    const piece = pieces[randomBelow(draw, pieces.length)] ?? '';
    const mangled = `${good.slice(0, at)}${piece}${good.slice(at + randomBelow(draw, 4))}`;
    const parsed = readSignatureInput(mangled);
    if (parsed === undefined) continue;
    read += 1;
    const again = signRequest(request, key, parsed)['signature-input'];
    assert.equal(again, mangled);
    assert.equal(verifyRequest(request, { ...headers, 'signature-input': mangled }, key.publicKey), mangled === good);
  }
  assert.ok(read > 0 && read < CASES / 2, `${read} read`);
  assert.ok(cpuMs() - started < 20_000);
});
