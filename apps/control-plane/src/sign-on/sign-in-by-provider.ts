import type { Secret } from '@ringfence/base';
import { CEREMONY_ASSURANCE, checkAssurance, requirementIn } from '@ringfence/policy/assurance';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { SessionCaller } from '../http/route.ts';
import { ASSURANCE_RULES } from '../members/assurance-rules.ts';
import { asFactor, type GivenFactor } from '../members/given-factors.ts';
import { checkSecond, spendSecond, type TypedSecond } from '../members/second-factor.ts';
import { credentialsOf } from '../members/sign-in.ts';
import { modeSince } from '../members/standing.ts';
import { keep } from '../members/step-up.ts';
import { beginTry } from '../members/wrong-tries.ts';
import { beginSession, type BegunSession } from '../sessions/begin-session.ts';
import { noteFirstFactor } from '../members/first-factor.ts';
import { linkIdentity, memberOf } from './identities.ts';
import { endSignOn, signOnRefused, type SignOnParts } from './sign-on.ts';

/** A browser that comes back from a provider, and what its person typed beside. */
export interface ProviderSignIn {
  readonly search: string;
  readonly publicKey: SigningPublicKey;
  readonly second?: TypedSecond | undefined;
}

/**
 * Begins a session for the member whom the provider's word is linked to, who gives a second factor where that word is taken for one alone. Throws
 * ControlPlaneError `not-authenticated` for every reason, of which a stranger is one.
 */
export async function signInByProvider(
  parts: SignOnParts,
  { search, publicKey, second: typed }: ProviderSignIn,
): Promise<BegunSession> {
  const { context } = parts;
  const { provider, subject, factor } = await endSignOn(parts, {
    search,
    purpose: 'sign-in',
    browser: publicKey,
    holder: null,
  });
  const { org } = provider;
  const member = await memberOf(context, org, { provider: provider.provider, subject });
  if (member === undefined) throw signOnRefused();
  const now = context.clock.now();
  const { totp, signInName } = await credentialsOf(context, org, member);
  const begunTry = typed === undefined ? undefined : await beginTry(context, signInName ?? member);
  const second = typed === undefined ? undefined : checkSecond(context, { member, totp }, typed);
  if (typed !== undefined && second === undefined) {
    await begunTry?.wrong(true);
    throw signOnRefused();
  }
  const factors: GivenFactor[] = [
    factor,
    ...(second === undefined ? [] : [{ kind: second.kind, at: now, traits: {} } as const]),
  ];
  const begun = await context.changes.run(org, async (tx) => {
    const { factors_since } = await tx.selectFrom('organisation').select('factors_since').executeTakeFirstOrThrow();
    const requirement = requirementIn(modeSince(factors_since), CEREMONY_ASSURANCE['session:begin']);
    const assured = { person: true, factors: factors.map(asFactor) };
    if (!checkAssurance(requirement, assured, { now, rules: ASSURANCE_RULES }).allow) return undefined;
    if (second !== undefined && !(await spendSecond(tx, member, second, now))) return undefined;
    const session = await beginSession(context, tx, { org, member, publicKey, factors });
    await begunTry?.tell(tx, { org, member });
    return session;
  });
  if (begun === undefined) {
    await begunTry?.wrong(true);
    throw signOnRefused();
  }
  await begunTry?.right();
  return begun;
}

/** A browser whose session goes on, back from a provider. */
interface Back {
  readonly search: string;
  readonly caller: SessionCaller;
}

/** Gives the provider's word to the session that asked for it. Throws ControlPlaneError `not-authenticated`. */
export async function stepUpByProvider(
  parts: SignOnParts,
  { search, caller: asker, token }: Back & { readonly token: Secret | undefined },
): Promise<void> {
  const { context } = parts;
  const { org, member, session } = asker;
  const ended = await endSignOn(parts, { search, purpose: 'step-up', browser: session, holder: session });
  const { provider, subject, factor } = ended;
  if ((await memberOf(context, org, { provider: provider.provider, subject })) !== member) throw signOnRefused();
  const given = await context.changes.run(org, (tx) => keep(context, tx, { asker, member, given: factor, token }));
  if (given === undefined) throw signOnRefused();
  context.sessions.forget();
}

/**
 * Links the provider's word to the member who asks: in a session that their invitation began or that steps up, never because an address is equal.
 * Throws ControlPlaneError `not-authenticated`, or `conflict` where it is somebody's already.
 */
export async function linkProvider(parts: SignOnParts, { search, caller }: Back): Promise<void> {
  const { context } = parts;
  const { org, member, session } = caller;
  const ended = await endSignOn(parts, { search, purpose: 'link', browser: session, holder: session });
  const { provider, subject, factor } = ended;
  await context.changes.run(org, async (tx) => {
    const now = context.clock.now();
    if (!(await linkIdentity(tx, { provider: provider.provider, subject }, { org, member, now })))
      throw new ControlPlaneError('conflict', 'this identity is linked already, or you have another one there', {
        next: 'ask an officer',
      });
    if ((await keep(context, tx, { asker: caller, member, given: factor })) === undefined) throw signOnRefused();
    // A word that counts for one factor lets nobody in by itself.
    if (provider.assures === 2) await noteFirstFactor(tx, { org, member, now });
    await context.record(tx, org, { type: 'factor-enrolled', member, factor: 'sso' });
  });
  context.sessions.forget();
}
