import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signatureClaim, signatureOf } from './signature-v4.fixture.ts';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';

test('the worked example of AWS’s page on signed requests (IAM ListUsers)', () => {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7';
  const request = {
    method: 'GET',
    target: '/?Action=ListUsers&Version=2010-05-08',
    headers: {
      host: 'iam.amazonaws.com',
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      'x-amz-date': '20150830T123600Z',
    },
    body: new Uint8Array(),
  };
  const claim = signatureClaim(authorization) ?? assert.fail('no claim');
  assert.equal(signatureOf(request, claim, SECRET), claim.signature);
  assert.notEqual(
    signatureOf({ ...request, target: '/?Action=ListUsers&Version=2010-05-09' }, claim, SECRET),
    claim.signature,
  );
  assert.notEqual(signatureOf(request, claim, `${SECRET}x`), claim.signature);
});

test('get-vanilla of AWS’s test suite for Signature Version 4', () => {
  const scope = { accessKeyId: 'AKIDEXAMPLE', date: '20150830', region: 'us-east-1', service: 'service' };
  const headers = { host: 'example.amazonaws.com', 'x-amz-date': '20150830T123600Z' };
  const request = { method: 'GET', target: '/', headers, body: new Uint8Array() };
  assert.equal(
    signatureOf(request, { ...scope, signedHeaders: ['host', 'x-amz-date'] }, SECRET),
    '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
  );
});

test('what is no such header has no claim', () => {
  for (const text of [undefined, '', 'Bearer x', 'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00'])
    assert.equal(signatureClaim(text), undefined);
});
