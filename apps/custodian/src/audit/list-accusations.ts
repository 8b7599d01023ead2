import type { OrgId } from '@ringfence/base';
import type { auditAccusers, auditWitnessed } from '@ringfence/protocol/payload';
import { sql } from 'kysely';
import type { z } from 'zod';
import type { CustodianStore, Tx } from '../store/open-store.ts';

const MOST_AT_A_GLANCE = 100;
/** With all that is kept of them and its notes an answer of at most four megabytes. */
const ACCUSERS_OF_A_PAGE = 16;

/** At most a hundred: of each witness the newest before the second newest of any. */
export async function newestAccusations(tx: Tx): Promise<z.input<typeof auditWitnessed>['accusations']> {
  const rank = sql<number>`row_number() over (partition by witness order by place desc)`;
  const ranked = tx.selectFrom('audit_accusation').select(['witness', 'accusation', 'at', rank.as('rank')]);
  return tx
    .selectFrom(ranked.as('ranked'))
    .select(['witness', 'accusation'])
    .orderBy('rank')
    .orderBy('at', 'desc')
    .orderBy('witness')
    .limit(MOST_AT_A_GLANCE)
    .execute();
}

/** What each witness found, in its own order; the witnesses in that of their ids, those behind `after`. */
export async function pageOfAccusers(
  store: CustodianStore,
  org: OrgId,
  after: string,
): Promise<z.input<typeof auditAccusers>> {
  return store.withOrg(
    org,
    async (tx) => {
      const found = await tx
        .selectFrom('audit_accuser')
        .select(['witness', 'filed'])
        .where(sql<boolean>`witness collate "C" > ${after}`)
        .where('filed', '>', 0)
        .orderBy(sql`witness collate "C"`)
        .limit(ACCUSERS_OF_A_PAGE + 1)
        .execute();
      const page = found.slice(0, ACCUSERS_OF_A_PAGE);
      const last = page.at(-1);
      if (last === undefined) return { accusers: [], next: null };
      const witnesses = page.map(({ witness }) => witness);
      const rows = await tx
        .selectFrom('audit_accusation')
        .select(['witness', 'accusation'])
        .where('witness', 'in', witnesses)
        .orderBy('place')
        .execute();
      const accusers = page.map(({ witness, filed }) => ({
        witness,
        filed,
        accusations: rows.flatMap((row) => (row.witness === witness ? [row.accusation] : [])),
      }));
      return { accusers, next: found.length > page.length ? last.witness : null };
    },
    { readOnly: true, isolation: 'repeatable read' },
  );
}
