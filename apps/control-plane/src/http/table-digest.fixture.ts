import type { OrgId } from '@ringfence/base';
import { sql } from 'kysely';
import { until } from '../control-plane.fixture.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';

/** The table that a refused request may write: what was sent once. */
const OF_REFUSALS = 'spent_nonce';

/** What a link's own beat moves, whoever calls. */
const OF_LINKS = ['seen_at', 'journal_seq', 'journal_hash'];

/** Each organisation's tables with a digest of its rows, a line each, so that two of them tell whether anything was changed, and what. */
export async function tableDigest(store: ControlPlaneStore, orgs: readonly OrgId[]): Promise<string> {
  const parts: string[] = [];
  for (const org of orgs)
    await store.withOrg(
      org,
      async (tx) => {
        const tables = await sql<{ name: string }>`
          select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
          where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
            and a.attname = 'org' and has_table_privilege(current_user, c.oid, 'select')
          order by 1`.execute(tx);
        for (const { name } of tables.rows) {
          if (name === OF_REFUSALS) continue;
          const { rows } = await sql<{ digest: string | null }>`
            select md5(string_agg(row::text, E'\\n' order by row::text)) as digest
            from (select to_jsonb(t) - ${sql.val(OF_LINKS)}::text[] as row from ${sql.table(name)} t) rows`.execute(tx);
          parts.push(`${org} ${name} ${rows[0]?.digest ?? ''}`);
        }
      },
      { isolation: 'repeatable read', readOnly: true },
    );
  return parts.join('\n');
}

/** What {@link tableDigest} says once what was under way is over: the same ten times in a row. */
export async function settledDigest(store: ControlPlaneStore, orgs: readonly OrgId[]): Promise<string> {
  let [last, same] = [await tableDigest(store, orgs), 0];
  await until('nothing is under way any more', async () => {
    const now = await tableDigest(store, orgs);
    same = now === last ? same + 1 : 0;
    last = now;
    return same >= 10;
  });
  return last;
}
