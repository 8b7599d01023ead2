import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromUtf8, seededRng, utf8, type Json } from '@ringfence/base';
import {
  preAuthenticationEncoding,
  signEnvelope,
  signEnvelopeAside,
  statementDigest,
  verifyEnvelope,
} from './envelope.ts';
import { signOwnEncoding, SigningKey } from './signing-key.ts';

const TYPE = 'application/vnd.ringfence.job.v1+json';
const OTHER_TYPE = 'application/vnd.ringfence.lease.v1+json';
const rng = seededRng('envelope');
const [alice, bob, carol] = [SigningKey.generate(rng), SigningKey.generate(rng), SigningKey.generate(rng)];
const body = { name: 'Zoë', count: 3, nested: { b: [1, null, true], a: 'a' } };

test("DSSE's published vector: encoding, and the signature of its ECDSA key over it", () => {
  const message = preAuthenticationEncoding('http://example.com/HelloWorld', utf8('hello world'));
  assert.equal(fromUtf8(message), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
  const coordinate = (decimal: bigint): string =>
    Buffer.from(decimal.toString(16).padStart(64, '0'), 'hex').toString('base64url');
  const key = createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: coordinate(46950820868899156662930047687818585632848591499744589407958293238635476079160n),
      y: coordinate(5640078356564379163099075877009565129882514886557779369047442380624545832820n),
    },
  });
  const signature = 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==';
  assert.ok(verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64')));
});

test('lengths in the encoding count bytes, not characters', () => {
  assert.equal(fromUtf8(preAuthenticationEncoding('é', utf8('ü'))), 'DSSEv1 2 é 2 ü');
});

test('returns the canonical bytes that were signed', () => {
  const envelope = signEnvelope(TYPE, body, [alice]);
  const payload = verifyEnvelope(envelope, TYPE, [bob.publicKey, alice.publicKey]);
  assert.equal(fromUtf8(payload), '{"count":3,"name":"Zoë","nested":{"a":"a","b":[1,null,true]}}');
  assert.equal(statementDigest(envelope), createHash('sha256').update(payload).digest('hex'));
});

test('another thread signs the same', async () => {
  const aside = signEnvelopeAside(TYPE, body, alice);
  const here = signEnvelope(TYPE, body, [alice]);
  assert.deepEqual([await aside.envelope, aside.digest], [here, statementDigest(here)]);
});

test('a threshold counts different keys', () => {
  const two = signEnvelope(TYPE, body, [alice, bob]);
  const keys = [alice.publicKey, bob.publicKey, carol.publicKey];
  verifyEnvelope(two, TYPE, keys, 2);
  assert.throws(() => verifyEnvelope(two, TYPE, keys, 3), { code: 'bad-signature' });
  const twice = signEnvelope(TYPE, body, [alice, alice]);
  assert.throws(() => verifyEnvelope(twice, TYPE, [...keys, ...keys], 2), { code: 'bad-signature' });
  for (const threshold of [0, -1, 1.5, Number.NaN])
    assert.throws(() => verifyEnvelope(two, TYPE, keys, threshold), RangeError);
  assert.throws(() => verifyEnvelope(two, TYPE, []), { code: 'bad-signature' });
});

test('type, payload, signature and key id are all bound', () => {
  const envelope = signEnvelope(TYPE, body, [alice]);
  assert.match(envelope.payload, /=$/, 'the padding case below needs padding');
  const [signature] = envelope.signatures;
  assert.ok(signature !== undefined);
  const keys = [alice.publicKey];
  const broken = [
    { ...envelope, payloadType: OTHER_TYPE },
    { ...envelope, payload: signEnvelope(TYPE, { ...body, count: 4 }, [alice]).payload },
    { ...envelope, payload: envelope.payload.replace(/=*$/, '') },
    { ...envelope, payload: `${envelope.payload}\n` },
    { ...envelope, signatures: [] },
    { ...envelope, signatures: [{ ...signature, keyid: signEnvelope(TYPE, body, [bob]).signatures[0]?.keyid ?? '' }] },
    { ...envelope, signatures: [{ ...signature, sig: signature.sig.replace('=', '') }] },
    { ...envelope, signatures: signEnvelope(OTHER_TYPE, body, [alice]).signatures },
    { ...envelope, signatures: signEnvelope(TYPE, body, [bob]).signatures },
  ];
  for (const [index, value] of broken.entries())
    assert.throws(() => verifyEnvelope(value, TYPE, keys), { code: 'bad-signature' }, `case ${index}`);
  assert.throws(() => verifyEnvelope(envelope, OTHER_TYPE, keys), { code: 'bad-signature' });
});

test('a signed payload that is not canonical is refused', () => {
  for (const text of ['{"b":1,"a":2}', '{"a": 1}', '{"a":1,"a":1}', '1.5', '1e2', '-0', '{"a":1}\n', '', '"\\u0041"']) {
    const payload = utf8(text);
    const sig = Buffer.from(signOwnEncoding(alice, preAuthenticationEncoding(TYPE, payload))).toString('base64');
    const { signatures } = signEnvelope(TYPE, null, [alice]);
    const envelope = {
      payloadType: TYPE,
      payload: Buffer.from(payload).toString('base64'),
      signatures: [{ keyid: signatures[0]?.keyid ?? '', sig }],
    };
    assert.throws(() => verifyEnvelope(envelope, TYPE, [alice.publicKey]), { code: 'not-canonical' }, text);
  }
});

const key = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 8 });
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value;

test('any JSON body survives', () => {
  fc.assert(
    fc.property(json, (value) => {
      const payload = verifyEnvelope(signEnvelope(TYPE, value, [alice]), TYPE, [alice.publicKey]);
      assert.deepEqual(JSON.parse(fromUtf8(payload)), JSON.parse(JSON.stringify(value)));
    }),
    { numRuns: 200 },
  );
});
