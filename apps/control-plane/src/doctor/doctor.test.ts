import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import type { DatabaseFacts } from '@ringfence/store';
import { parseControlPlaneConfig } from '../config.ts';
import { cleanUp, startDatabase } from '../control-plane.fixture.ts';
import { openStore } from '../store/open-store.ts';
import { diagnose, judge } from './doctor.ts';

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

test('the doctor only looks: a database that it judged has still all of its migrations before it', async (t) => {
  const { url, stateDir } = await startDatabase(t);
  const config = parseControlPlaneConfig(['doctor', '--state', stateDir], { DATABASE_URL: url });
  assert.ok(config !== 'help');
  const { fit, lines } = await diagnose({ config, clock, log: silentLog });
  assert.equal(fit, false);
  assert.match(lines.join('\n'), /superuser/);
  const migrated: string[] = [];
  const log = { ...silentLog, info: (event: string) => void migrated.push(event) };
  const { close } = await openStore({ stateDir, url, clock, log });
  cleanUp(t, close);
  assert.ok(migrated.includes('database.migrated'));
});
