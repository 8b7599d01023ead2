import type { DeviceId, JobId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { checkFence } from '@ringfence/keyring';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { FENCED } from './attempt-end.ts';

/**
 * Counts an attempt as over on an officer's signed word: from now on the next one may be granted, and the fenced one is given its grant no
 * more and reads no more. So too one whose lease has run out by this custodian's clock: its agent's word, or a restart of the custodian,
 * could count it as running again. Said again, or of an attempt that signed its end or was never granted, it changes nothing. Throws
 * CustodianError `bad-statement`.
 */
export async function takeFence(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  envelope: Envelope,
  { job, device }: { readonly job: JobId; readonly device: DeviceId },
): Promise<void> {
  const { keyring, org } = claimed;
  const now = context.clock.now();
  const decision = checkFence(envelope, { job, device }, { keyring, now });
  if (!decision.allow)
    throw new CustodianError('bad-statement', `the fence does not count: ${decision.reasons.join(', ')}`, {
      next: 'let an officer fence the job: see `ringfence device ls`',
    });
  const { fence } = decision;
  const { attempt } = fence.body;
  await context.store.withOrg(org, async (tx) => {
    const row = await tx
      .selectFrom('attempt')
      .select(['agent', 'stopped', 'ends_by'])
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (row === undefined || row.stopped !== null || row.ends_by === FENCED) return;
    const { agent } = row;
    await tx
      .updateTable('attempt')
      .set({ ends_by: FENCED })
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .execute();
    await context.record(tx, org, { type: 'fenced', job, attempt, agent, device, fenceDigest: fence.digest });
  });
  await context.endpoints.jobChanged(job);
}
