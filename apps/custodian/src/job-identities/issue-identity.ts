import { epochMs, toBase64Url, utf8, type AgentId, type DeviceId, type SiteId } from '@ringfence/base';
import { sha256Hex, type Digest, type Envelope } from '@ringfence/crypto/sign';
import { KeyringError, readStatement, verifyStatement, workloadDigest } from '@ringfence/keyring';
import type { identityAnswer, identityRequest } from '@ringfence/protocol/payload';
import type { GrantStatement } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { FENCED, longestLease } from '../jobs/attempt-end.ts';
import { isOver } from '../endpoints/is-over.ts';
import { mayStart } from '../jobs/evaluate-grant.ts';
import { openWorkload } from '../jobs/open-workload.ts';
import { watchedAgent, watchedDevice } from '../locks/watched-parties.ts';
import { isShredded } from '../shredding/shred-rows.ts';
import type { Tx } from '../store/open-store.ts';
import { codeOfJob } from './code-of-job.ts';
import { judgeIdentity, type IdentityFacts } from './judge-identity.ts';

type Answer = z.input<typeof identityAnswer>;
type Request = z.output<typeof identityRequest>;

/** What is known of the attempt, and of its machine. */
interface Known {
  readonly facts: IdentityFacts;
  readonly site: SiteId | undefined;
  /** Whose job it is. */
  readonly device: DeviceId;
  /** What was granted, all of it; undefined for what does not open any more. */
  readonly workload: Digest | undefined;
}

/**
 * Decides on one token for a running attempt, by grant, locks and job file as they are now, and writes the decision down before the token leaves.
 * Throws CustodianError `unavailable` while this process does not hear of locks.
 */
export async function issueIdentity(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  request: Request,
  agent: AgentId,
): Promise<Answer> {
  const { org, project } = claimed;
  const { job, attempt, audience } = request;
  const { identityPace: pace } = context;
  // Both before the transaction: reading a whole pack takes its time, and the lease goes on meanwhile.
  const now = context.clock.now();
  const code = await codeOfJob(context, claimed, { job, agent });
  return context.store.withOrg(org, async (tx) => {
    const known = await factsOf(context, tx, claimed, { ...request, agent });
    // Of an attempt that never was nothing is written down.
    if (known === undefined) return { result: 'refused', reasons: ['not-current'] };
    const { facts, site, device, workload } = known;
    const decision = judgeIdentity({ ...request, agent }, facts, now);
    const of = { job, attempt, agent };
    const about = { ...of, audience: sha256Hex(utf8(audience)) };
    if (!decision.allow || site === undefined || workload === undefined) {
      const reasons = decision.allow ? (['not-current'] as const) : decision.reasons;
      const named = facts.audiences.includes(audience) ? audience : undefined;
      if (pace.tells(of, named, reasons))
        await context.record(tx, org, { type: 'identity-refused', ...about, reasons: [...reasons] });
      return { result: 'refused', reasons: [...reasons] };
    }
    if (!pace.takesTurn(of, audience)) return { result: 'refused', reasons: ['too-often'] };
    const id = toBase64Url(context.rng.bytes(16));
    const { from, until, lifetimeMs } = decision;
    const life = { from, until, lifetimeMs };
    const where = { org, project, ...of, site, device };
    const token = await context.identities.sign({ ...where, workload, code, audience, id, life });
    await context.record(tx, org, { type: 'identity-issued', ...about, token: id, until: epochMs(until * 1_000) });
    return { result: 'issued', token, lifetimeMs };
  });
}

async function factsOf(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  { job, attempt, agent }: Request & { readonly agent: AgentId },
): Promise<Known | undefined> {
  // The job stays as it is until `tx` ends: no grant, commit or end of it comes between decision and ledger.
  const row = await tx
    .selectFrom('job')
    .select(['attempt', 'device', 'workload', 'closed', 'commit_record', 'job_digest'])
    .where('job', '=', job)
    .forNoKeyUpdate()
    .executeTakeFirst();
  const granted = await tx
    .selectFrom('attempt')
    .innerJoin('agent', 'agent.agent', 'attempt.agent')
    .select(['attempt.agent', 'attempt.epoch', 'attempt.grant_envelope', 'attempt.stopped'])
    .select(['attempt.granted_at', 'attempt.ends_by'])
    .select('agent.locked')
    .where('attempt.job', '=', job)
    .where('attempt.attempt', '=', attempt)
    .executeTakeFirst();
  if (row === undefined || granted?.agent !== agent) return undefined;
  const shredded = row.workload === null || (await isShredded(tx, job, attempt));
  const workload = shredded ? undefined : await openWorkload(context, claimed.org, job, row.workload);
  const grant = grantOf(context, granted.grant_envelope);
  const digest = workload === undefined ? undefined : workloadDigest(workload);
  const grantHolds =
    digest !== undefined &&
    grant?.payloadDigest === digest &&
    grant.jobDigest === row.job_digest &&
    grant.agent === agent;
  return {
    site: claimed.keyring.agent(agent)?.site,
    device: row.device,
    workload: digest,
    facts: {
      current: { attempt: row.attempt, agent: granted.agent },
      stopped: granted.stopped !== null,
      fenced: granted.ends_by === FENCED,
      shredded,
      closed: row.closed !== null || (await isOver(tx, job)),
      committed: row.commit_record !== null,
      sameEpoch: granted.epoch === claimed.epoch,
      locked: granted.locked !== null || isLocked(context, claimed, { agent, device: row.device }),
      mayStart:
        claimed.keyring.device(row.device) !== undefined && mayStart(context, claimed, { job, device: row.device }),
      // What does not open any more has no say of its own.
      grantHolds: shredded || grantHolds,
      longestLeaseMs: longestLease(granted),
      audiences: Object.values(workload?.identity ?? {}),
    },
  };
}

/** The grant that this custodian signed, whatever its row says. */
function grantOf({ keys }: CustodianContext, envelope: Envelope): GrantStatement | undefined {
  try {
    return verifyStatement(readStatement('grant', envelope), [keys.enrolment.publicKey]).body;
  } catch (error) {
    if (error instanceof KeyringError) return undefined;
    throw error;
  }
}

/** A lock on the machine or its site ends certificates, one on the job's device or member the tokens in its name. */
function isLocked(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { agent, device }: { agent: AgentId; device: DeviceId },
): boolean {
  const { locks, clock } = context;
  const now = clock.now();
  const checks = [
    locks.check('certificates', [watchedAgent(claimed, agent)], now),
    locks.check('tokens', [watchedDevice(context, claimed, device)], now),
  ];
  const reasons = checks.flatMap((checked) => (checked.allow ? [] : checked.reasons));
  if (reasons.includes('not-hearing'))
    throw new CustodianError('unavailable', 'the custodian does not hear of locks at this moment');
  return reasons.length > 0;
}
