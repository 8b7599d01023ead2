import { durationMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { openProfile } from '@ringfence/keyring';
import { withProfile, type PlacementWish } from '@ringfence/policy';
import { JobFileError, resolveJob, type JobFile, type ResolvedJob } from '@ringfence/protocol/job-file';
import type { LabelStatement, ProfileRequirements } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { checkedKeyring } from '../home/checked-keyring.ts';
import type { Session } from '../session.ts';
import { FIELD_PATHS } from './field-paths.ts';

/** The requirements of the profile that came with a label, once an officer’s signature and the label’s digest agree. Throws CliError `not-trusted`. */
export async function officersProfile(
  context: CommandContext,
  session: Session,
  { label, profile }: { readonly label: LabelStatement; readonly profile: Envelope | undefined },
): Promise<ProfileRequirements> {
  const keyring = await checkedKeyring(context, session);
  const opened = profile === undefined ? undefined : openProfile(profile, { keyring, now: context.clock.now() });
  const requirements =
    opened?.allow === true && opened.profile.digest === label.profile && opened.profile.body.requirements;
  if (requirements !== false && requirements !== null && requirements !== undefined) return requirements;
  throw new CliError('not-trusted', 'the profile that the custodian names is not signed by an officer', {
    next: 'ask an officer what `ringfence profile show` says',
  });
}

/** The strictest of a job, its profile and its label. Throws JobFileError where the job contradicts its profile. */
export function underProfile(
  file: JobFile,
  wish: PlacementWish,
  { label, requirements }: { readonly label: LabelStatement; readonly requirements: ProfileRequirements },
): { readonly job: ResolvedJob; readonly wish: PlacementWish } {
  const job = resolveJob(file);
  const { residencyDeny, customerKey, egress = [] } = job.privacy;
  const { spot, maxPrice, budget, maxDurationMs } = job;
  const decision = withProfile(
    { wish, residencyDeny, customerKey, egress, spot, maxPrice, budget, maxDurationMs },
    requirements,
    label,
  );
  if (!decision.allow)
    throw new JobFileError(
      decision.reasons.map(({ field, allowed }) => ({
        path: FIELD_PATHS[field],
        code: 'looser-than-profile',
        message: `the profile allows only: ${allowed.length === 0 ? 'none' : allowed.join(', ')}`,
      })),
    );
  const { wish: strict, egress: _, ...terms } = decision.job;
  return {
    wish: strict,
    job: {
      ...job,
      spot: terms.spot,
      maxPrice: terms.maxPrice,
      budget: terms.budget,
      maxDurationMs: durationMs(terms.maxDurationMs),
      privacy: { ...job.privacy, residencyDeny: terms.residencyDeny, customerKey: terms.customerKey },
    },
  };
}
