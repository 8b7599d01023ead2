import type { DeviceId } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { openProfile, readStatement } from '@ringfence/keyring';
import { checkProfile, type JudgedJob, type ProfileField } from '@ringfence/policy';
import type { ProfileRow } from '@ringfence/protocol/payload';
import type { LabelStatement, ProfileRequirements } from '@ringfence/protocol/statements';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import type { Tx } from '../store/open-store.ts';
import { keepRule, newestRule, newestRules, ruleOf, type KeptRule, type RuleName } from './rule-rows.ts';

/** Keeps what an officer signed as the newest version of a profile. Throws CustodianError `bad-statement`, `conflict`. */
export async function setProfile(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  envelope: Envelope,
  device: DeviceId,
): Promise<ProfileRow[]> {
  const opened = openProfile(envelope, { keyring: claimed.keyring, now: context.clock.now() });
  if (!opened.allow)
    throw new CustodianError('bad-statement', `the profile does not count: ${opened.reasons.join(', ')}`, {
      next: 'an officer’s device has to sign it: see `ringfence device ls`',
    });
  const { profile: statement } = opened;
  return context.store.withOrg(claimed.org, async (tx) => {
    const name = nameOf(context, statement.body.name);
    if ((await keepRule(context, tx, claimed.org, { name, statement })) === 'kept')
      await context.record(tx, claimed.org, { type: 'profile-set', profile: statement.digest, device });
    return listProfiles(context, tx);
  });
}

/** The newest version of every profile, removed ones included: whoever signs the next needs its number. */
export async function listProfiles(context: CustodianContext, tx: Tx): Promise<ProfileRow[]> {
  const rules = await newestRules(context, tx, 'profile');
  return rules
    .map(({ envelope }) => ({ statement: envelope }))
    .toSorted((a, b) => (nameIn(a.statement) < nameIn(b.statement) ? -1 : 1));
}

/**
 * The version of a profile that counts for a launch now. Throws CustodianError `not-found` where there is none, or where nobody who signed it
 * is an officer any more.
 */
export async function profileNamed(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  name: string,
): Promise<{ readonly kept: KeptRule; readonly requirements: ProfileRequirements }> {
  const kept = await newestRule(context, tx, nameOf(context, name));
  const requirements = kept === undefined ? null : requirementsOf(kept);
  if (kept === undefined || requirements === null)
    throw new CustodianError('not-found', 'there is no profile of the name that the job gives', {
      next: 'see `ringfence profile ls`; names are case-sensitive',
    });
  if (!openProfile(kept.envelope, { keyring: claimed.keyring, now: context.clock.now() }).allow)
    throw new CustodianError('not-found', 'the officer who signed the profile is one no more', {
      next: 'an officer signs it again: `ringfence profile set FILE`',
    });
  return { kept, requirements };
}

/** What a job may not be started for, where its label names a profile. */
export type ProfileVerdict =
  | { readonly allow: true; readonly profile: Envelope | undefined }
  | { readonly allow: false; readonly looser: readonly ProfileField[] };

/**
 * Whether a job is at least as strict as the profile that its label names, and as the newest version of that. At its deposit the one that it
 * names has to be the newest, too.
 */
export async function judgeProfile(
  context: CustodianContext,
  tx: Tx,
  { label, placement, workload }: Omit<JudgedJob, 'label'> & { readonly label: LabelStatement },
): Promise<ProfileVerdict & { readonly newest: boolean }> {
  if (label.profile === undefined) return { allow: true, profile: undefined, newest: true };
  const named = await ruleOf(context, tx, label.profile);
  if (named === undefined) return { allow: false, looser: [], newest: false };
  const newest = (await newestRule(context, tx, named)) ?? named;
  const looser = new Set<ProfileField>();
  for (const rule of [named, newest]) {
    const checked = checkProfile(requirementsOf(rule) ?? {}, { label, placement, workload });
    if (!checked.allow) for (const field of checked.reasons) looser.add(field);
  }
  const isNewest = newest.digest === named.digest;
  if (looser.size > 0) return { allow: false, looser: [...looser], newest: isNewest };
  return { allow: true, profile: named.envelope, newest: isNewest };
}

function nameOf({ columns }: CustodianContext, name: string): RuleName {
  return { kind: 'profile', name_index: columns.index('signed_rule', name) };
}

function nameIn(envelope: Envelope): string {
  return readStatement('profile', envelope).claimed.name;
}

function requirementsOf({ envelope }: KeptRule): ProfileRequirements | null {
  return readStatement('profile', envelope).claimed.requirements;
}
