import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiRefusal } from '@ringfence/client/api';
import { ClientError } from '@ringfence/client/error';
import { isPassing } from './with-custodian.ts';

test('a custodian that cannot answer now is asked again, and its no is final', () => {
  for (const status of [500, 502, 503]) assert.equal(isPassing(new ApiRefusal(status, 'unavailable', '')), true);
  for (const status of [400, 401, 403, 404, 409, 422]) assert.equal(isPassing(new ApiRefusal(status, 'no', '')), false);
  assert.equal(isPassing(new ClientError('peer-offline', '')), true);
  assert.equal(isPassing(new ClientError('wrong-peer', '')), false);
  assert.equal(isPassing(new Error('anything else')), false);
});
