import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orgTable } from './org-table.ts';
import { givenRoleNames, roleNamesOf, withRoleNames } from './role-names.ts';

test('only the three role names are replaced', () => {
  const names = roleNamesOf('rf_cp');
  assert.equal(
    withRoleNames('grant select on rf_apple, rf_app_log to rf_app, "rf_system"; -- not rf_owners', names),
    'grant select on rf_apple, rf_app_log to rf_cp_app, "rf_cp_system"; -- not rf_owners',
  );
});

test('given roles are three different plain names', () => {
  const names = { owner: 'o', app: 'a', system: 's' };
  assert.equal(givenRoleNames(names), names);
  assert.throws(() => givenRoleNames({ ...names, system: 'a' }), { code: 'bad-options' });
  assert.throws(() => givenRoleNames({ ...names, app: 'A b' }), { code: 'bad-options' });
});

// Part of the checksums in existing databases: a change of this text would make them refuse the release.
test('the text of orgTable stays what it was', () => {
  assert.equal(
    orgTable('job', { app: ['select', 'insert'], system: ['select', 'update'] }),
    `alter table job enable row level security;
alter table job force row level security;
create policy job_of_org on job to rf_app
  using (org = nullif(current_setting('rf.org', true), ''))
  with check (org = nullif(current_setting('rf.org', true), ''));
grant select, insert on job to rf_app;
create policy job_of_all on job to rf_system using (true) with check (true);
grant select, update on job to rf_system;
`,
  );
  assert.throws(() => orgTable('job; drop table job', { app: ['select'] }), TypeError);
});
