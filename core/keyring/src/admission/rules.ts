import type { EpochMs } from '@ringfence/base';
import type { Digest, Envelope } from '@ringfence/crypto/sign';
import { checkProfile, type Decision } from '@ringfence/policy';
import type { Workload } from '@ringfence/protocol/payload';
import { CLOCK_SKEW_MS, type Keyring } from '../chain/keyring.ts';
import type { Verified } from '../statement.ts';
import { failed, type Check } from './checks.ts';
import type { Admission } from './lease.ts';
import { tryRead, tryVerify } from './open.ts';

/** Why a profile or a policy does not count. */
export type RuleReason = 'malformed' | 'signature' | 'org' | 'not-yet';

/** By whose keys and when a rule is judged. */
export interface RuleContext {
  readonly keyring: Keyring;
  readonly now: EpochMs;
}

/** Whether `envelope` is a profile that a device of an officer signed, who is one still. */
export function openProfile(
  envelope: Envelope,
  context: RuleContext,
): Decision<RuleReason, { profile: Verified<'profile'> }> {
  const { keyring } = context;
  const read = tryRead('profile', envelope);
  const profile = tryVerify(read, ({ device }) => {
    const key = keyring.isOfficer(device) ? keyring.deviceKey(device) : undefined;
    return key === undefined ? [] : [key];
  });
  if (profile === undefined) return unsigned(read);
  const reasons = faults(profile.body, context);
  return reasons.length === 0 ? { allow: true, profile } : { allow: false, reasons };
}

/** Whether `envelope` is an organisation policy that as many officers signed as a rule for two people asks: min(2, officers). */
export function openPolicy(
  envelope: Envelope,
  context: RuleContext,
): Decision<RuleReason, { policy: Verified<'policy'> }> {
  const { keyring } = context;
  const read = tryRead('policy', envelope);
  const officers = keyring.devices().flatMap(({ id, sign }) => (keyring.isOfficer(id) ? [sign] : []));
  const policy = tryVerify(read, () => officers, Math.max(1, keyring.quorum));
  if (policy === undefined) return unsigned(read);
  const reasons = faults(policy.body, context);
  return reasons.length === 0 ? { allow: true, policy } : { allow: false, reasons };
}

/**
 * Whether the profile that came with a grant is the one that the label names, and the start is at least as strict as it. Who signed it is for
 * the custodian to check when it takes it: its label vouches for the digest.
 */
export function checkGrantedProfile(
  envelope: Envelope | undefined,
  { label, placement }: Pick<Admission, 'label' | 'placement'>,
  workload: Workload,
): Decision<Check> {
  const digest: Digest | undefined = label.body.profile;
  if (digest === undefined && envelope === undefined) return { allow: true };
  const read = envelope === undefined ? undefined : tryRead('profile', envelope);
  const requirements = read?.claimed.requirements ?? undefined;
  const named = read !== undefined && read.digest === digest && read.claimed.org === label.body.org;
  const reasons = failed({
    'profile-differs': named && requirements !== undefined,
    'profile-looser':
      requirements === undefined || checkProfile(requirements, { placement, workload, label: label.body }).allow,
  });
  return reasons.length === 0 ? { allow: true } : { allow: false, reasons };
}

function unsigned(read: object | undefined): { allow: false; reasons: RuleReason[] } {
  return { allow: false, reasons: [read === undefined ? 'malformed' : 'signature'] };
}

function faults({ org, at }: { org: string; at: EpochMs }, { keyring, now }: RuleContext): RuleReason[] {
  return [...(org === keyring.org ? [] : ['org' as const]), ...(at <= now + CLOCK_SKEW_MS ? [] : ['not-yet' as const])];
}
