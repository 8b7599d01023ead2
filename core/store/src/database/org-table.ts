/** Rights on a table under policies. */
export type TableRight = 'select' | 'insert' | 'update' | 'delete';

/**
 * SQL for a migration: puts `table` (which has a column `org text not null`) under forced row-level security, lets `rf_app` use `app`
 * rights on rows of the current organisation, and `rf_system` use `system` rights on rows of all. The text is part of recorded
 * checksums: it never changes.
 */
export function orgTable(
  table: string,
  rights: { app: readonly TableRight[]; system?: readonly TableRight[] },
): string {
  if (!/^[a-z][a-z0-9_]{0,50}$/.test(table)) throw new TypeError('a table name is a-z, 0-9 and _');
  const system = rights.system ?? [];
  return [
    `alter table ${table} enable row level security;`,
    `alter table ${table} force row level security;`,
    `create policy ${table}_of_org on ${table} to rf_app`,
    `  using (org = nullif(current_setting('rf.org', true), ''))`,
    `  with check (org = nullif(current_setting('rf.org', true), ''));`,
    `grant ${rights.app.join(', ')} on ${table} to rf_app;`,
    ...(system.length === 0
      ? []
      : [
          `create policy ${table}_of_all on ${table} to rf_system using (true) with check (true);`,
          `grant ${system.join(', ')} on ${table} to rf_system;`,
        ]),
    '',
  ].join('\n');
}
