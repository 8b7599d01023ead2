import type { CeremonyId, MemberId, OrgId, Secret } from '@ringfence/base';
import type { Digest, SigningPublicKey } from '@ringfence/crypto/sign';
import { beginCeremony, spendCeremony, type CeremonyEnd, type SpentCeremony } from '../ceremonies/ceremony.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Asker } from '../http/route.ts';
import type { GivenFactor } from '../members/given-factors.ts';
import { keep } from '../members/step-up.ts';
import { beginSession, type BegunSession } from '../sessions/begin-session.ts';
import { browserDigest, holderOf } from './browser-digest.ts';
import type { SignedChallenge } from '@ringfence/protocol/api';
import { passkeyRefused } from './enrol-passkey.ts';
import { findPasskey, listPasskeys, notePasskeyUse, type FoundPasskey } from './passkey-rows.ts';
import type { RelyingParty } from './relying-party.ts';
import { stepUpChallenge } from './step-up-challenge.ts';
import { verifyAssertion, type PasskeyUse } from './verify-assertion.ts';

/** What a browser answers a challenge with. */
export interface PasskeyAnswer {
  readonly ceremony: CeremonyId;
  readonly assertion: SignedChallenge;
}

/** Asks whoever has a passkey for it; `publicKey` is of the browser's fresh key, which the session will be bound to. */
export async function beginSignIn(context: ControlPlaneContext, party: RelyingParty, publicKey: SigningPublicKey) {
  const begun = await beginCeremony(context, { kind: 'passkey-sign-in', browser: browserDigest(publicKey) });
  return { ceremony: begun.ceremony, challenge: begun.challenge, rpId: party.rpId, allow: [] };
}

/** Begins a session for whose passkey it is. Throws ControlPlaneError `not-authenticated` for every reason. */
export async function signInByPasskey(
  context: ControlPlaneContext,
  party: RelyingParty,
  { publicKey, ...answer }: PasskeyAnswer & { readonly publicKey: SigningPublicKey },
): Promise<BegunSession> {
  const browser = browserDigest(publicKey);
  const used = await verifyUse(context, party, answer, { kind: 'passkey-sign-in', browser, holder: null });
  const { org, member } = used.passkey;
  const begun = await context.changes.run(org, async (tx) => {
    if (!(await notePasskeyUse(context, tx, used.passkey, used.use))) return undefined;
    return beginSession(context, tx, { org, member, publicKey, factors: [factorOf(context, used)] });
  });
  // Outside of the change: that the passkey was suspended is to stay.
  if (begun === undefined) throw passkeyRefused();
  return begun;
}

/** Who steps up: the session that asks, or a device in whose name a browser acts, which is then named by the secret that the device handed it. */
export interface SteppingUp {
  readonly asker: Asker;
  /** Null for a device that nobody stepped up yet. */
  readonly member: MemberId | null;
  readonly browser: string;
}

/** Asks for one of the member's passkeys; `forDigest` is of the one thing that is agreed to by it. */
export async function beginStepUp(
  context: ControlPlaneContext,
  party: RelyingParty,
  { asker, member, browser }: SteppingUp,
  forDigest?: Digest,
) {
  const { org } = asker;
  const begun = await beginCeremony(
    context,
    {
      kind: 'passkey-step-up',
      browser: browserDigest(browser),
      of: { org, member: member ?? undefined, holder: holderOf(asker) },
      forDigest,
    },
    forDigest === undefined ? undefined : (ceremony) => ({ challenge: stepUpChallenge(ceremony, forDigest) }),
  );
  const { ceremony, challenge, expiresAt } = begun;
  return { ceremony, challenge, expiresAt, rpId: party.rpId, allow: await credentialsOf(context, org, member) };
}

/** The ids of a member's passkeys. */
export async function credentialsOf(
  { store }: ControlPlaneContext,
  org: OrgId,
  member: MemberId | null,
): Promise<string[]> {
  if (member === null) return [];
  return (await store.withOrg(org, (tx) => listPasskeys(tx, member))).map(({ credential }) => credential);
}

/**
 * Gives a passkey of `member` to the session or device that the step-up was begun for; a session has `token` from then on. Throws ControlPlaneError `not-authenticated` for every
 * reason, of which another member's passkey is one.
 */
export async function stepUpByPasskey(
  context: ControlPlaneContext,
  party: RelyingParty,
  { asker, member, browser, token }: SteppingUp & { readonly member: MemberId; readonly token?: Secret | undefined },
  answer: PasskeyAnswer,
): Promise<void> {
  const end = { kind: 'passkey-step-up', browser: browserDigest(browser), holder: holderOf(asker) } as const;
  const used = await verifyUse(context, party, answer, end);
  const { spent, passkey } = used;
  if (spent.org !== asker.org || passkey.org !== asker.org || passkey.member !== member) throw passkeyRefused();
  if (spent.member !== null && spent.member !== member) throw passkeyRefused();
  const given = await context.changes.run(asker.org, async (tx) =>
    (await notePasskeyUse(context, tx, passkey, used.use))
      ? keep(context, tx, { asker, member, given: factorOf(context, used), token })
      : undefined,
  );
  if (given === undefined) throw passkeyRefused();
  context.sessions.forget();
}

interface VerifiedUse {
  readonly spent: SpentCeremony;
  readonly passkey: FoundPasskey;
  readonly use: PasskeyUse;
}

/** Spends the challenge first: whatever is wrong with the answer, there is no second one to it. */
async function verifyUse(
  context: ControlPlaneContext,
  party: RelyingParty,
  { ceremony, assertion }: PasskeyAnswer,
  end: Omit<CeremonyEnd, 'ceremony'>,
): Promise<VerifiedUse> {
  const spent = await spendCeremony(context, { ceremony, ...end });
  const passkey = await findPasskey(context.store, assertion.id);
  if (spent === undefined || passkey === undefined) throw passkeyRefused();
  const verified = await verifyAssertion(assertion, { challenge: spent.challenge, party, passkey });
  if (!verified.allow) throw passkeyRefused();
  return { spent, passkey, use: verified.use };
}

function factorOf({ clock }: ControlPlaneContext, { spent, passkey, use }: VerifiedUse): GivenFactor {
  const { userVerified } = use;
  const forDigest = spent.for_digest === null ? {} : { forDigest: spent.for_digest };
  const mayBeCopied = passkey.mayBeCopied || use.mayBeCopied;
  return {
    kind: 'passkey',
    at: clock.now(),
    traits: { userVerified, mayBeCopied, addedAt: passkey.addedAt, ...forDigest },
  };
}
