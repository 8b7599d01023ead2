import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DatabaseFacts } from '@ringfence/store';
import { judge } from './doctor.ts';

const GOOD: DatabaseFacts = {
  kind: 'url',
  protection: 'verified',
  serverVersion: '17.2',
  durable: true,
  superuser: false,
};

test('a database that is fit is good; every reason against it has its own words and remedy', () => {
  assert.deepEqual(judge(GOOD, true), { fit: true, lines: ['✓ database: PostgreSQL 17.2'] });
  const cases: [Partial<DatabaseFacts>, RegExp][] = [
    [{ kind: 'embedded' }, /embedded PostgreSQL[^]*DATABASE_URL/],
    [{ protection: 'plaintext' }, /not protected[^]*sslmode=verify-full/],
    [{ durable: false }, /power fails[^]*fsync/],
    [{ superuser: true }, /superuser[^]*may create roles/],
  ];
  for (const [change, words] of cases) {
    const { fit, lines } = judge({ ...GOOD, ...change }, true);
    assert.deepEqual([fit, lines.length], [false, 2]);
    assert.match(lines.join('\n'), words);
    assert.match(lines[0] ?? '', /^✗/);
    assert.match(judge({ ...GOOD, ...change }, false).lines[0] ?? '', /^!/);
  }
});
