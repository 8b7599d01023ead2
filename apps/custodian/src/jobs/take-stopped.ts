import type { AgentId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { checkStopped, KeyringError, readStatement } from '@ringfence/keyring';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';

/**
 * Stores an agent's signed word that an attempt of its own runs no more; said again, it changes nothing. An attempt that was never granted
 * has nothing to end, and is not granted afterwards. Throws CustodianError `bad-statement`.
 */
export async function takeStopped(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  envelope: Envelope,
  agent: AgentId,
): Promise<void> {
  const { job, attempt } = claimOf(envelope);
  const { keyring } = claimed;
  const decision = checkStopped(envelope, { job, attempt, agent }, { keyring });
  if (!decision.allow) throw bad();
  const { stopped } = decision;
  await context.store.withOrg(claimed.org, async (tx) => {
    // Grants hold it from their beginning: one that is under way is seen below, and later ones see what is noted here.
    await tx.selectFrom('job').select('job').where('job', '=', job).forNoKeyUpdate().executeTakeFirst();
    const ended = await tx
      .updateTable('attempt')
      .set({ stopped: JSON.stringify(envelope) })
      .where('job', '=', job)
      .where('attempt', '=', attempt)
      .where('agent', '=', agent)
      .where('stopped', 'is', null)
      .returning('attempt')
      .executeTakeFirst();
    if (ended === undefined) return context.endedUngranted.note({ job, attempt, agent });
    await context.record(tx, claimed.org, { type: 'stopped', job, attempt, agent, outcome: stopped.body.outcome });
    context.fault('stopped-before-commit');
  });
  context.fault('stopped-after-commit');
  context.shredding.ended(job);
  await context.endpoints.jobChanged(job);
}

function claimOf(envelope: Envelope) {
  try {
    return readStatement('stopped', envelope).claimed;
  } catch (cause) {
    if (cause instanceof KeyringError) throw bad(cause);
    throw cause;
  }
}

function bad(cause?: unknown): CustodianError {
  return new CustodianError('bad-statement', 'the word that an attempt stopped does not verify', { cause });
}
