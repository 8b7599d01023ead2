import type { Refusal } from '@ringfence/protocol/messages';
import type { GrantRefusal } from '@ringfence/protocol/payload';

/** What a failed check is called where it is reported: by an agent to the control plane, by a custodian to the agent. */
interface CheckRow {
  readonly agent: Refusal;
  readonly custodian: GrantRefusal;
}

const row = (agent: Refusal, custodian: GrantRefusal = 'bad-statements'): CheckRow => ({ agent, custodian });

/** Every check of an admission, in the order in which the first failed one is reported. Names go into journals and receipts. */
export const CHECKS = {
  'control-plane-keys': row('bad-lease'),
  'job-malformed': row('bad-job-signature'),
  'job-org': row('bad-job-signature'),
  'job-device': row('unknown-device', 'device-removed'),
  'job-signature': row('bad-job-signature'),
  'label-malformed': row('bad-label'),
  'label-signature': row('bad-label', 'label-changed'),
  'receipt-malformed': row('bad-receipt'),
  'receipt-signature': row('bad-receipt'),
  'lease-malformed': row('bad-lease'),
  'lease-signature': row('bad-lease'),
  'agent-not-member': row('locked', 'locked'),
  'agent-admission-ended': row('locked', 'placement'),
  'lease-agent': row('not-this-agent'),
  'head-bad': row('stale-keyring'),
  'head-stale': row('stale-keyring'),
  'head-fork': row('stale-keyring'),
  'head-behind': row('stale-keyring'),
  'job-not-yet': row('job-expired', 'job-expired'),
  'job-expired': row('job-expired', 'job-expired'),
  'label-org': row('bad-label'),
  'label-job': row('bad-label'),
  'label-digest': row('bad-label'),
  'label-not-yet': row('bad-label', 'label-changed'),
  'label-expired': row('bad-label', 'label-changed'),
  'placement-digest': row('constraints-edited', 'placement'),
  'placement-type': row('constraints-edited', 'placement'),
  'placement-looser-than-label': row('bad-label', 'placement'),
  'placement-budget': row('constraints-edited', 'placement'),
  'placement-deadline': row('job-expired', 'job-expired'),
  'receipt-org': row('bad-receipt'),
  'receipt-job': row('bad-receipt'),
  'receipt-control-plane': row('bad-receipt'),
  'receipt-job-digest': row('bad-receipt'),
  'receipt-constraint-digest': row('bad-receipt'),
  'receipt-label-digest': row('bad-receipt'),
  'receipt-attempt': row('bad-receipt'),
  'receipt-agent': row('bad-receipt'),
  'receipt-tier': row('bad-receipt', 'placement'),
  'receipt-isolation': row('isolation', 'placement'),
  'receipt-process': row('isolation', 'placement'),
  'agent-residency': row('residency', 'placement'),
  'agent-site': row('bad-receipt', 'wrong-site'),
  'receipt-price': row('bad-receipt', 'placement'),
  'receipt-counts': row('bad-receipt'),
  'receipt-not-yet': row('bad-receipt'),
  'tee-not-appraised': row('isolation', 'placement'),
  'evidence-not-verified': row('bad-receipt', 'placement'),
  'lease-org': row('bad-lease'),
  'lease-job': row('bad-lease'),
  'lease-control-plane': row('bad-lease'),
  'lease-job-digest': row('bad-lease'),
  'lease-receipt-digest': row('bad-lease'),
  'lease-not-yet': row('bad-lease'),
  'lease-expired': row('bad-lease'),
  'attempt-not-new': row('attempt-not-new', 'attempt-not-new'),
  'attempt-beyond-maximum': row('bad-lease'),
  'grant-malformed': row('bad-grant'),
  'grant-signature': row('bad-grant'),
  'grant-org': row('bad-grant'),
  'grant-job': row('bad-grant'),
  'grant-attempt': row('bad-grant'),
  'grant-agent': row('bad-grant'),
  'grant-job-digest': row('bad-grant'),
  'grant-lease-digest': row('bad-grant'),
  'grant-receipt-digest': row('bad-grant'),
  'grant-label-digest': row('bad-grant'),
  'grant-payload-digest': row('bad-grant'),
  'grant-isolation': row('bad-grant'),
  'grant-epoch': row('bad-grant', 'epoch'),
  'grant-not-yet': row('bad-grant'),
  'grant-expired': row('bad-grant'),
  'payload-digest': row('payload-mismatch'),
  'payload-placement': row('payload-mismatch', 'placement'),
  'profile-differs': row('payload-mismatch', 'profile'),
  'profile-looser': row('payload-mismatch', 'profile'),
} as const satisfies Readonly<Record<string, CheckRow>>;

/** The name of a check. */
export type Check = keyof typeof CHECKS;

const ORDER = Object.keys(CHECKS) as Check[];

/** The failed ones among `checks`, in the order of {@link CHECKS}. */
export function failed(checks: Readonly<Partial<Record<Check, boolean>>>): Check[] {
  return ORDER.filter((check) => checks[check] === false);
}

/** What an agent tells its control plane of failed checks: the first one's refusal. */
export function refusalOf(reasons: readonly Check[]): Refusal | undefined {
  const first = reasons[0];
  return first === undefined ? undefined : CHECKS[first].agent;
}

/** What a custodian tells an agent of failed checks: the first one's refusal. */
export function grantRefusalOf(reasons: readonly Check[]): GrantRefusal | undefined {
  const first = reasons[0];
  return first === undefined ? undefined : CHECKS[first].custodian;
}
