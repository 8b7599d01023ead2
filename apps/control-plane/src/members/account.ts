import type { EpochMs, Secret } from '@ringfence/base';
import type { AccountView } from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Asker, SessionCaller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { enrolledFactors } from './enrolled-factors.ts';
import { noteFirstFactor } from './first-factor.ts';
import { giveFactor } from './given-factors.ts';
import { base32, keyUri } from './hotp.ts';
import { makeRecoveryCodes } from './recovery-codes.ts';
import { notSignedIn } from './sign-in.ts';
import { modeSince, standingOf } from './standing.ts';
import { beginTotp, confirmTotp, removeTotp } from './totp.ts';

/** What the one that asks may know of its own standing. */
export async function viewAccount(context: ControlPlaneContext, asker: Asker): Promise<AccountView> {
  const { store } = context;
  const { member, given, level } = await standingOf(context, asker);
  const enrolled = member === null ? undefined : await enrolledFactors(store, asker.org, member);
  const row = await store.withOrg(asker.org, async (tx) => ({
    organisation: await tx.selectFrom('organisation').select('factors_since').executeTakeFirstOrThrow(),
    named:
      member && (await tx.selectFrom('member').select('sign_in_name').where('member', '=', member).executeTakeFirst()),
    session:
      'session' in asker
        ? await tx.selectFrom('session').select('ends_at').where('session', '=', asker.session).executeTakeFirst()
        : undefined,
  }));
  return {
    member,
    signInName: row.named === null ? null : (row.named?.sign_in_name ?? null),
    session: 'session' in asker ? asker.session : null,
    until: (row.session?.ends_at ?? null) as EpochMs | null,
    roles: [...asker.roles],
    mode: modeSince(row.organisation.factors_since),
    enrolled: [...(enrolled?.kinds ?? [])],
    recoveryCodesLeft: enrolled?.recoveryCodes ?? 0,
    given: given.map(({ kind, at }) => ({ kind, at })),
    level,
  };
}

/** Begins an authenticator; its secret is told this once. Throws ControlPlaneError `conflict` when another one is just beginning. */
export async function beginAuthenticator(
  context: ControlPlaneContext,
  { org, member }: SessionCaller,
): Promise<{ readonly secret: string; readonly uri: string }> {
  const { secret, name } = await context.changes.run(org, async (tx) => ({
    secret: await beginTotp(context, tx, { org, member }),
    name: await tx.selectFrom('member').select('sign_in_name').where('member', '=', member).executeTakeFirstOrThrow(),
  }));
  if (secret === undefined)
    throw new ControlPlaneError('conflict', 'another authenticator is just beginning', { next: 'try again' });
  using held: Secret = secret;
  return { secret: base32(held), uri: keyUri(held, { issuer: 'Ringfence', account: name.sign_in_name }) };
}

/** Makes the authenticator that was begun the member's, by its first code, which counts as given. Throws ControlPlaneError `not-authenticated`. */
export async function confirmAuthenticator(
  context: ControlPlaneContext,
  { org, member, session }: SessionCaller,
  code: string,
): Promise<void> {
  const confirmed = await context.changes.run(org, async (tx) => {
    if (!(await confirmTotp(context, tx, member, code))) return false;
    const at = context.clock.now();
    await giveFactor(tx, { org, member, holder: session }, { kind: 'totp', at, traits: {} });
    await noteFirstFactor(tx, { org, member, now: at });
    await context.record(tx, org, { type: 'factor-enrolled', member, factor: 'totp' });
    return true;
  });
  if (!confirmed) throw notSignedIn();
  context.sessions.forget();
}

/** Takes the member's authenticator away, and what it gave. Throws ControlPlaneError `not-found`. */
export async function removeAuthenticator(context: ControlPlaneContext, { org, member }: SessionCaller): Promise<void> {
  await context.changes.run(org, async (tx) => {
    if (!(await removeTotp(tx, member, context.clock.now())))
      throw new ControlPlaneError('not-found', 'there is no authenticator');
    await tx.deleteFrom('given_factor').where('member', '=', member).where('kind', '=', 'totp').execute();
    await context.record(tx, org, { type: 'factor-removed', member, factor: 'totp' });
  });
  context.sessions.forget();
}

/** Ten new recovery codes, told this once; the ones before are void. */
export async function renewRecoveryCodes(
  context: ControlPlaneContext,
  { org, member }: SessionCaller,
): Promise<{ readonly codes: string[] }> {
  const codes = await context.changes.run(org, async (tx) => {
    await context.record(tx, org, { type: 'factor-enrolled', member, factor: 'recovery-code' });
    return makeRecoveryCodes(context, tx, { org, member });
  });
  return { codes: [...codes] };
}
