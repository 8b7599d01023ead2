import { toBase64Url, utf8, type CeremonyId } from '@ringfence/base';
import { beginCeremony, spendCeremony } from '../ceremonies/ceremony.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { giveFactor } from '../members/given-factors.ts';
import { noteFirstFactor } from '../members/first-factor.ts';
import type { SessionCaller } from '../http/route.ts';
import { browserDigest } from './browser-digest.ts';
import type { NewCredential } from '@ringfence/protocol/api';
import { addPasskey, listPasskeys } from './passkey-rows.ts';
import type { RelyingParty } from './relying-party.ts';
import { PASSKEY_ALGORITHMS, verifyRegistration } from './verify-registration.ts';

/** Asks a member's browser for a new passkey, that is none of those they have. */
export async function beginEnrolment(
  context: ControlPlaneContext,
  party: RelyingParty,
  { org, member, session: holder }: SessionCaller,
) {
  const { name, known } = await context.store.withOrg(org, async (tx) => {
    const row = await tx
      .selectFrom('member')
      .select('sign_in_name')
      .where('member', '=', member)
      .executeTakeFirstOrThrow();
    return { name: row.sign_in_name, known: await listPasskeys(tx, member) };
  });
  const { ceremony, challenge } = await beginCeremony(context, {
    kind: 'passkey-enrol',
    browser: browserDigest(holder),
    of: { org, member, holder },
  });
  return {
    ceremony,
    challenge,
    rpId: party.rpId,
    // What an authenticator shows beside the host: no name of a person, and no address.
    user: { id: toBase64Url(utf8(member)), name },
    algorithms: [...PASSKEY_ALGORITHMS],
    exclude: known.map(({ credential }) => credential),
  };
}

/** Adds the passkey that the browser made, which counts as given. Throws ControlPlaneError `not-authenticated`, or `conflict` for one that is known already. */
export async function endEnrolment(
  context: ControlPlaneContext,
  party: RelyingParty,
  { org, member, session: holder }: SessionCaller,
  { ceremony, credential }: { ceremony: CeremonyId; credential: NewCredential },
): Promise<void> {
  const end = { ceremony, kind: 'passkey-enrol', browser: browserDigest(holder), holder } as const;
  const spent = await spendCeremony(context, end);
  if (spent === undefined || spent.member !== member) throw passkeyRefused();
  const verified = await verifyRegistration(credential, { challenge: spent.challenge, party });
  if (!verified.allow) throw passkeyRefused();
  await context.changes.run(org, async (tx) => {
    const now = context.clock.now();
    if (!(await addPasskey(tx, { org, member, now }, verified.passkey)))
      throw new ControlPlaneError('conflict', 'this passkey is known already, or there are too many', {
        next: 'remove one that is no longer used',
      });
    // Its user was verified while it was made.
    const traits = { userVerified: true, mayBeCopied: verified.passkey.mayBeCopied };
    await giveFactor(tx, { org, member, holder }, { kind: 'passkey', at: now, traits });
    await noteFirstFactor(tx, { org, member, now });
    await context.record(tx, org, { type: 'factor-enrolled', member, factor: 'passkey' });
  });
  context.sessions.forget();
}

/** The same for whatever was wrong with a passkey, its challenge or its member. */
export function passkeyRefused(): ControlPlaneError {
  return new ControlPlaneError('not-authenticated', 'this passkey was not taken', {
    next: 'begin again, in the browser in which you began, within five minutes',
  });
}
