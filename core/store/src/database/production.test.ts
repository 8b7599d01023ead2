import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeProduction, type DatabaseFacts } from './production.ts';

const good: DatabaseFacts = {
  kind: 'url',
  protection: 'verified',
  serverVersion: '18.4',
  durable: true,
  superuser: false,
};

test('a verified, durable server with a plain user is fit for production', () => {
  assert.deepEqual(judgeProduction(good), { allow: true });
  assert.deepEqual(judgeProduction({ ...good, protection: 'local' }), { allow: true });
});

test('everything else is refused with its reason', () => {
  const reasons = (change: Partial<DatabaseFacts>): readonly string[] => {
    const verdict = judgeProduction({ ...good, ...change });
    return verdict.allow ? [] : verdict.reasons;
  };
  assert.deepEqual(reasons({ kind: 'embedded', superuser: true, protection: 'local' }), ['embedded-database']);
  assert.deepEqual(reasons({ protection: 'plaintext' }), ['unprotected-connection']);
  assert.deepEqual(reasons({ protection: 'unverified' }), ['unprotected-connection']);
  assert.deepEqual(reasons({ durable: false, superuser: true }), ['not-durable', 'superuser-url']);
});
