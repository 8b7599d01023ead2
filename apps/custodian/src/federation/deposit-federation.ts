import type { JobId } from '@ringfence/base';
import type { Digest } from '@ringfence/crypto/sign';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { judgeDeposit, type JudgedJob } from './judge-federation.ts';

/**
 * Notes what a deposited job takes part in; of a job that is no part of a federation nothing. `code` is the digest of what it brings. Throws CustodianError
 * `bad-statement` where the contract does not hold or the job is not what it says.
 */
export async function depositFederation(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, code, ...judged }: JudgedJob & { readonly job: JobId; readonly code: Digest | undefined },
): Promise<void> {
  const decision = await judgeDeposit(context, tx, claimed, { ...judged, code });
  if (!decision.allow)
    throw new CustodianError('bad-statement', `the job is not what its contract says: ${decision.reasons.join(', ')}`, {
      next: '`ringfence contract show` says what was agreed; docs/federation.md says what each word means',
    });
  const { federation } = judged.workload;
  if (federation === undefined) return;
  await tx
    .insertInto('federation_job')
    .values({ job, org: claimed.org, ...federation, code: code ?? null, artifact: judged.data[0]?.artifact ?? null })
    .execute();
}
