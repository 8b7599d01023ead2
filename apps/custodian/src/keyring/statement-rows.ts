import type { keyringAnswer } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';

/** Statements with a number above `after` up to the head that goes with them. */
export async function statementsAfter(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  after: number,
): Promise<z.input<typeof keyringAnswer>> {
  const { keyring, head } = claimed;
  const from = Number.isSafeInteger(after) ? after : -1;
  if (from >= keyring.head.seq) return { statements: [], head };
  const rows = await context.store.withOrg(claimed.org, (tx) =>
    tx
      .selectFrom('keyring_statement')
      .select('envelope')
      .where('seq', '>', from)
      .where('seq', '<=', keyring.head.seq)
      .orderBy('seq')
      .execute(),
  );
  return { statements: rows.map(({ envelope }) => envelope), head };
}
