import type { AgentId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { roundReportRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { ROUND_REPORT } from '../store/sealed-columns.ts';

/** Keeps what came of a round, once, from the agent that had leave for it; false where it had none, or has told before. */
export async function reportRound(
  { store, columns, record }: CustodianContext,
  { org }: ClaimedOrganisation,
  asked: z.output<typeof roundReportRequest> & { readonly contract: Digest; readonly agent: AgentId },
): Promise<boolean> {
  const { contract, agent, round, job, attempt, report } = asked;
  const { outcome } = report;
  // Means of losses have fractions, which canonical JSON has not.
  const report_box = columns.seal(ROUND_REPORT, reportRow({ contract, agent, round }), JSON.stringify(report));
  return store.withOrg(org, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('federation_round')
      .set({ outcome, report_box })
      .where('contract', '=', contract)
      .where('agent', '=', agent)
      .where('round', '=', round)
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .where('outcome', 'is', null)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) return false;
    await record(tx, org, { type: 'round-reported', contract, round, job, attempt, agent, outcome });
    return true;
  });
}

/** What a report's sealed column is bound to. */
export function reportRow(of: { readonly contract: Digest; readonly agent: AgentId; readonly round: number }): string {
  return `${of.contract}/${of.agent}/${of.round}`;
}
