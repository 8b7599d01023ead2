import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgeIsolation, type IsolationFacts, type Policy, type Relation } from './isolation.ts';

const table: Relation = {
  name: 'note',
  kind: 'r',
  scoped: true,
  enabled: true,
  forced: true,
  reachable: true,
  truncates: false,
  owned: false,
  invoker: false,
};
const policy: Policy = {
  table: 'note',
  name: 'p',
  command: 'ALL',
  using: `(org = NULLIF(current_setting('rf.org'::text, true), ''::text))`,
  check: null,
};
const good: IsolationFacts = { relations: [table], policies: [policy], roles: [], definers: [], leaking: [] };
const plain = { ...table, name: 'region', scoped: false, enabled: false, forced: false };
const role = { kind: 'app', superuser: false, bypasses: false, actsAsOwner: false } as const;

test('a schema with forced policies that compare with the organisation is let through', () => {
  assert.deepEqual(judgeIsolation({ ...good, roles: [role], relations: [table, plain] }, ['region']), { allow: true });
});

const breaches: readonly [string, Partial<IsolationFacts>][] = [
  ['note has no row-level security', { relations: [{ ...table, enabled: false, forced: false }] }],
  ['note lacks FORCE ROW LEVEL SECURITY', { relations: [{ ...table, forced: false }] }],
  ['the app role may truncate note', { relations: [{ ...table, truncates: true }] }],
  ['the app role owns note', { relations: [{ ...table, owned: true }] }],
  ['shared has a column org but is declared shared', { relations: [{ ...table, name: 'shared' }] }],
  ['region has no column org and is not declared shared', { relations: [plain] }],
  ['view v is not security_invoker', { relations: [{ ...plain, name: 'v', kind: 'v' }] }],
  ['m is reachable and cannot have policies', { relations: [{ ...table, name: 'm', kind: 'm' }] }],
  ['policy p on note does not compare with the current organisation', { policies: [{ ...policy, using: 'true' }] }],
  ['policy p on note does not compare with the current organisation', { policies: [{ ...policy, check: 'true' }] }],
  [
    'policy p on note does not compare with the current organisation',
    { policies: [{ ...policy, command: 'INSERT', using: null }] },
  ],
  ['the app role is a superuser', { roles: [{ ...role, superuser: true }] }],
  ['the app role bypasses row-level security', { roles: [{ ...role, bypasses: true }] }],
  ['the app role may act as the owner of the tables', { roles: [{ ...role, actsAsOwner: true }] }],
  ['function f runs with rights above row-level security', { definers: ['f'] }],
  ['a row of note is visible with no organisation set', { leaking: ['note'] }],
];

for (const [reason, change] of breaches)
  test(`refused: ${reason}`, () => {
    assert.deepEqual(judgeIsolation({ ...good, ...change }, ['shared']), { allow: false, reasons: [reason] });
  });

test('what the application cannot reach may be anything but an unprotected table of organisations', () => {
  const hidden = { reachable: false, invoker: false };
  const relations = [
    { ...plain, ...hidden },
    { ...plain, ...hidden, kind: 'v' },
    { ...plain, ...hidden, kind: 'm' },
  ];
  assert.deepEqual(judgeIsolation({ ...good, relations }, []), { allow: true });
});
