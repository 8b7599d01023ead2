import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionError } from './connection-error.ts';
import { ClientError } from './error.ts';

const failed = (code: string): Error => Object.assign(new Error('words of the other side'), { code });

test('certificate checks that fail are told from connections that fail', () => {
  for (const code of [
    'SELF_SIGNED_CERT_IN_CHAIN',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'INVALID_CA',
  ])
    assert.equal(connectionError(failed(code)).code, 'untrusted-server', code);
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ERR_SSL_WRONG_VERSION_NUMBER', ''])
    assert.equal(connectionError(failed(code)).code, 'unreachable', code);
});

test('an error of this package stays, and the other side’s words are not repeated', () => {
  const own = new ClientError('peer-offline', 'x');
  assert.equal(connectionError(own), own);
  assert.ok(!connectionError(failed('ECONNRESET')).message.includes('words'));
  assert.equal(connectionError('thrown text').code, 'unreachable');
});
