import { canonicalBytes, type EpochMs } from '@ringfence/base';
import { sha256Hex, type Digest, type Envelope } from '@ringfence/crypto/sign';
import { checkWorkload, type Decision } from '@ringfence/policy';
import type { Workload } from '@ringfence/protocol/payload';
import { CLOCK_SKEW_MS, type Keyring } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';
import { failed, type Check } from './checks.ts';
import type { Admission } from './lease.ts';
import { tryRead, tryVerify } from './open.ts';

/** By whose keys and when a grant is judged. */
export interface GrantContext {
  readonly keyring: Keyring;
  readonly now: EpochMs;
}

/**
 * Whether `envelope` is the custodian's leave for exactly the start that was admitted. A grant of an epoch before the one that
 * the admitted head names is void: a restore came in between.
 */
export function checkGrant(
  envelope: Envelope,
  admission: Admission,
  { keyring, now }: GrantContext,
): Decision<Check, { grant: Verified<'grant'> }> {
  const read = tryRead('grant', envelope);
  const grant = tryVerify(read, ({ custodian }) => keyring.delegatedKeys('grant', now, custodian));
  if (grant === undefined) {
    return {
      allow: false,
      reasons: failed({ 'grant-malformed': read !== undefined, 'grant-signature': read === undefined }),
    };
  }
  const { body } = grant;
  const { job, label, receipt, lease, head } = admission;
  const reasons = failed({
    'grant-org': body.org === job.body.org,
    'grant-job': body.job === job.body.job,
    'grant-attempt': body.attempt === lease.body.attempt,
    'grant-agent': body.agent === lease.body.agent,
    'grant-job-digest': body.jobDigest === job.digest,
    'grant-lease-digest': body.leaseDigest === lease.digest,
    'grant-receipt-digest': body.receiptDigest === receipt.digest,
    'grant-label-digest': body.labelDigest === label.digest,
    'grant-payload-digest': body.payloadDigest === job.body.payloadDigest,
    'grant-isolation': body.isolation === receipt.body.chosen.isolation,
    'grant-epoch': body.epoch >= head.body.epoch,
    'grant-not-yet': body.at <= now + CLOCK_SKEW_MS,
    'grant-expired': now < body.notAfter,
  });
  return reasons.length === 0 ? { allow: true, grant } : { allow: false, reasons };
}

/** Whether an opened workload is the one that the device signed, and agrees with the placement that all decided by. */
export function checkPayload(workload: Workload, admission: Admission): Decision<Check> {
  const reasons = failed({
    'payload-digest': workloadDigest(workload) === admission.job.body.payloadDigest,
    'payload-placement': checkWorkload(workload, admission.placement, admission.label.body).allow,
  });
  return reasons.length === 0 ? { allow: true } : { allow: false, reasons };
}

/** The digest by which a job statement names its workload. */
export function workloadDigest(workload: Workload): Digest {
  return sha256Hex(canonicalBytes(workload));
}
