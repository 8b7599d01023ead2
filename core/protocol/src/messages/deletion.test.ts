import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, seededRng } from '@ringfence/base';
import { SigningKey, signEnvelope } from '@ringfence/crypto/sign';
import { frameBytesOf } from '../frames/index.ts';
import { deletionStatement, MOST_DELETED } from '../statements/index.ts';
import { MESSAGES } from './registry.ts';

test('the largest orders to delete fit into a frame, and their answers', () => {
  const rng = seededRng('deletion');
  const attempts = Array.from({ length: MOST_DELETED }, () => ({ job: newId('job', rng), attempt: 1_000_000 }));
  const [request, agent] = [newId('deletion', rng), newId('agent', rng)];
  const at = 4_102_444_800_000;
  const body = deletionStatement.parse({ v: 1, org: newId('org', rng), agent, request, attempts, at });
  const statement = signEnvelope('application/vnd.ringfence.deletion.v1+json', body, [SigningKey.generate(rng)]);
  const deleteData = MESSAGES['delete-data'].schema.parse({ request, attempts });
  const shredKeys = MESSAGES['shred-keys'].schema.parse({ request, agent, attempts, deletion: statement });
  assert.ok(frameBytesOf({ name: 'delete-data', body: deleteData }) <= 8_192);
  assert.ok(frameBytesOf({ name: 'deleted', body: { request, statement } }) <= 8_192);
  assert.ok(frameBytesOf({ name: 'shred-keys', body: shredKeys }) <= 8_192);
  assert.ok(frameBytesOf({ name: 'keys-shredded', body: { request, attempts } }) <= 8_192);
  assert.ok(!MESSAGES['delete-data'].schema.safeParse({ request, attempts: [...attempts, ...attempts] }).success);
});
