import { epochMs, type DeviceId, type SiteId } from '@ringfence/base';
import { statementDigest } from '@ringfence/crypto/sign';
import { signStatement } from '@ringfence/keyring';
import { strictestLabel, stricterSensitivity } from '@ringfence/policy';
import type { labelAnswer, labelRequest } from '@ringfence/protocol/payload';
import type { LabelStatement } from '@ringfence/protocol/statements';
import type { z } from 'zod';
import { findVersion, type FoundVersion } from '../artifacts/artifact-rows.ts';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { profileNamed } from '../rules/profiles.ts';
import type { Tx } from '../store/open-store.ts';

/** Computes and signs the label of a job from the data that it mounts (invariant 7). Throws CustodianError `not-found`, `no-label`. */
export async function signLabel(
  context: CustodianContext,
  claimed: ClaimedOrganisation,
  { job, mounts, wish, purpose, validMs, profile: profileName }: z.output<typeof labelRequest>,
  device: DeviceId,
): Promise<z.input<typeof labelAnswer>> {
  return context.store.withOrg(claimed.org, async (tx) => {
    const data = await mountedData(context, tx, claimed, mounts);
    const profile = profileName === undefined ? undefined : await profileNamed(context, tx, claimed, profileName);
    const decision = strictestLabel({ sensitivity: wish, purpose, residency: profile?.requirements.residency }, data);
    if (!decision.allow) throw noLabel(decision.reasons);
    if (sitesOf(data).length > 1) throw noLabel(['it lies in place at several sites']);
    const { residency, acceptProviderPlaintext } = decision.label;
    const least = profile?.requirements.sensitivity;
    const sensitivity = stricterSensitivity(decision.label.sensitivity, least ?? decision.label.sensitivity);
    const at = context.clock.now();
    const body: LabelStatement = {
      v: 1,
      org: claimed.org,
      job,
      custodian: context.keys.id,
      sensitivity,
      residency: [...residency],
      ...(acceptProviderPlaintext ? { acceptProviderPlaintext } : {}),
      ...(profile === undefined ? {} : { profile: profile.kept.digest }),
      at,
      notAfter: epochMs(at + validMs),
    };
    const label = signStatement('label', body, [context.keys.enrolment]);
    const labelDigest = statementDigest(label);
    await context.record(tx, claimed.org, { type: 'label-signed', job, labelDigest, sensitivity, device });
    const sites = sitesOf(data);
    return {
      label,
      ...(sites.length === 0 ? {} : { sites }),
      ...(profile === undefined ? {} : { profile: profile.kept.envelope }),
    };
  });
}

/** The newest version of every mounted artifact. Throws CustodianError `not-found`. */
export async function mountedData(
  context: CustodianContext,
  tx: Tx,
  claimed: ClaimedOrganisation,
  names: readonly string[],
): Promise<FoundVersion[]> {
  const found: FoundVersion[] = [];
  for (const name of names) {
    const version = await findVersion(context, tx, claimed, { name });
    if (version === undefined)
      throw new CustodianError('not-found', 'a dataset that the job mounts does not exist', {
        next: 'see `ringfence dataset ls`; names are case-sensitive',
      });
    found.push(version);
  }
  return found;
}

/** Where data lies that is not copied: a job that mounts it can run nowhere else. */
export function sitesOf(data: readonly FoundVersion[]): SiteId[] {
  return [...new Set(data.flatMap(({ place }) => (place === undefined ? [] : [place.site])))];
}

function noLabel(reasons: readonly string[]): CustodianError {
  return new CustodianError('no-label', `this data cannot be used together in this way: ${reasons.join(', ')}`, {
    next: 'name the purpose in the job file, or ask the owner of the data',
  });
}
