import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksumOf, planMigrations, type Migration } from './migration-plan.ts';

const steps: readonly Migration[] = [
  { id: 1, name: 'first', sql: 'create table a ()' },
  { id: 2, name: 'second-step', sql: 'create table b ()' },
];
const applied = steps.map((step) => ({ id: step.id, name: step.name, checksum: checksumOf(step) }));

test('what has not run is pending, in order', () => {
  assert.deepEqual(planMigrations(steps, []), { allow: true, pending: steps });
  assert.deepEqual(planMigrations(steps, applied.slice(0, 1)), { allow: true, pending: steps.slice(1) });
  assert.deepEqual(planMigrations(steps, applied), { allow: true, pending: [] });
});

test('a changed, missing or newer step stops everything', () => {
  const edited = steps.map((step) => (step.id === 1 ? { ...step, sql: `${step.sql} ` } : step));
  const code = (known: readonly Migration[], past: typeof applied): string => {
    const plan = planMigrations(known, past);
    return plan.allow ? 'allowed' : plan.code;
  };
  assert.equal(code(edited, applied), 'migration-changed');
  assert.equal(code(steps, applied.slice(1)), 'migration-changed');
  assert.equal(code(steps.slice(0, 1), applied), 'database-newer');
  assert.equal(code([], applied.slice(0, 1)), 'database-newer');
});

test('numbers have no gaps and names are words with dashes', () => {
  const plan = planMigrations(
    [
      { id: 2, name: 'ok', sql: '' },
      { id: 2, name: 'Not ok', sql: '' },
    ],
    [],
  );
  assert.deepEqual(plan, {
    allow: false,
    code: 'bad-migrations',
    reasons: ['migration 1 has the number 2', 'migration 2 has no name of words with dashes'],
  });
});
