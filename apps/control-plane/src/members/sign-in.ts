import { newId, type MemberId, type OrgId, type Rng } from '@ringfence/base';
import { parseSigningPublicKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import { CEREMONY_ASSURANCE, checkAssurance, requirementIn } from '@ringfence/policy/assurance';
import type { invitationSignIn, passwordSignIn } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { beginSession, type BegunSession } from '../sessions/begin-session.ts';
import type { Tx } from '../store/open-store.ts';
import { ASSURANCE_RULES } from './assurance-rules.ts';
import { asFactor, type GivenFactor } from './given-factors.ts';
import { orgOfInvitation, spendInvitation } from './invitations.ts';
import { checkSecond, spendSecond } from './second-factor.ts';
import { readSignInName } from './sign-in-name.ts';
import { beginTryFrom } from './wrong-tries.ts';

/** Somebody who wants in, and from where. */
export interface SignInTry<Body> {
  readonly body: Body;
  readonly address: string;
}

/**
 * Lets a member in by an invitation, which is spent with the session's beginning. The session has no factors, so it can enrol the first ones and
 * do nothing else. Throws ControlPlaneError `not-authenticated` for every reason.
 */
export async function signInByInvitation(
  context: ControlPlaneContext,
  { body: { secret, publicKey: key }, address }: SignInTry<z.output<typeof invitationSignIn>>,
): Promise<BegunSession> {
  context.addressTries.assertMayTry(address);
  const publicKey = browserKey(key);
  const org = await orgOfInvitation(context.store, secret);
  const begun =
    org === undefined
      ? undefined
      : await context.changes.run(org, async (tx) => {
          const member = await spendInvitation(tx, { secret, now: context.clock.now() });
          if (member === undefined) return undefined;
          await context.record(tx, org, { type: 'member-joined', member });
          return beginSession(context, tx, { org, member, publicKey, factors: [] });
        });
  if (begun !== undefined) return begun;
  context.addressTries.wrong(address);
  throw notSignedIn();
}

/**
 * Lets a member in by a password and a second factor, which is spent with the session's beginning. Throws ControlPlaneError `not-authenticated`,
 * the same for a name that nobody has, and `too-much` before a wrong try's wait is over.
 */
export async function signInByPassword(
  context: ControlPlaneContext,
  { body, address }: SignInTry<z.output<typeof passwordSignIn>>,
): Promise<BegunSession> {
  const publicKey = browserKey(body.publicKey);
  const name = readSignInName(body.signInName);
  const { tell, right, wrong } = await beginTryFrom(context, { name: name ?? body.signInName, address });
  const known = (await findMember(context, name ?? body.signInName)) ?? nobody(context.rng);
  const { password, totp } = await credentialsOf(context, known.org, known.member);
  const isRight = await context.passwords.verify(password, body.password);
  const second = body.second && checkSecond(context, { member: known.member, totp }, body.second);
  const now = context.clock.now();
  const factors: GivenFactor[] = [
    { kind: 'password', at: now, traits: {} },
    ...(second === undefined ? [] : [{ kind: second.kind, at: now, traits: {} } as const]),
  ];
  const requirement = requirementIn(
    known.factors_since === null ? 'device-only' : 'factors',
    CEREMONY_ASSURANCE['session:begin'],
  );
  const assured = { person: true, factors: factors.map(asFactor) };
  const isEnough = checkAssurance(requirement, assured, { now, rules: ASSURANCE_RULES }).allow;
  const missing = body.second !== undefined && second === undefined;
  const begin = async (tx: Tx) => {
    if (second !== undefined && !(await spendSecond(tx, known.member, second, now))) return undefined;
    if (!(await isActive(tx, known.member))) return undefined;
    const begun = await beginSession(context, tx, { org: known.org, member: known.member, publicKey, factors });
    await tell(tx, known);
    return begun;
  };
  const begun =
    isRight && isEnough && !missing ? await context.changes.run(known.org, begin).catch(unlessKeyIsKnown) : undefined;
  if (begun === undefined) {
    context.addressTries.wrong(address);
    // A code of an authenticator was held against it; one that reads as a recovery code may be anybody's.
    await wrong(isRight || second?.kind === 'totp');
    throw notSignedIn();
  }
  await right();
  return begun;
}

/** A browser's key that signed in before is refused as what is wrong is: else it would tell whoever shows one that the rest was right. */
function unlessKeyIsKnown(error: unknown): undefined {
  if (!(error instanceof ControlPlaneError) || error.code !== 'conflict') throw error;
}

/** The same for every reason: what was wrong is for nobody to learn. */
export function notSignedIn(): ControlPlaneError {
  return new ControlPlaneError('not-authenticated', 'this does not sign anybody in', {
    next: 'look at what you typed; who has lost it asks an officer',
  });
}

/** The Ed25519 key that a browser showed; throws ControlPlaneError `bad-request` for what is none. */
export function browserKey(text: string): SigningPublicKey {
  const key = parseSigningPublicKey(text);
  if (key !== undefined) return key;
  throw new ControlPlaneError('bad-request', 'the browser’s key is no Ed25519 public key', {
    next: 'send the 32 raw bytes in base64url',
  });
}

/** Whose rows are looked for where a name is nobody's, so that it takes the same way as any other. */
function nobody(rng: Rng) {
  return { org: newId('org', rng), member: newId('member', rng), factors_since: null };
}

/** Whose a name is, in whatever organisation. */
export async function findMember({ store }: Pick<ControlPlaneContext, 'store'>, name: string) {
  const [row] = await store.querySystem(
    'find-member',
    (db) =>
      db
        .selectFrom('member')
        .innerJoin('organisation', 'organisation.org', 'member.org')
        .select(['member', 'member.org', 'factors_since'])
        .where('sign_in_name', '=', name)
        .where('state', '=', 'active')
        .compile(),
    { readOnly: true },
  );
  return row;
}

/** The password's hash and the authenticator of a member, in one query whether there are any. */
export async function credentialsOf({ store }: Pick<ControlPlaneContext, 'store'>, org: OrgId, member: MemberId) {
  const [row] = await store.queryOrg(
    org,
    (db) =>
      db
        .selectFrom('member')
        .leftJoin('password', 'password.member', 'member.member')
        .leftJoin('totp', (join) =>
          join
            .onRef('totp.member', '=', 'member.member')
            .on('totp.confirmed_at', 'is not', null)
            .on('totp.removed_at', 'is', null),
        )
        .select(['password.hash', 'totp.totp', 'totp.secret_box', 'totp.last_step', 'member.sign_in_name'])
        .where('member.member', '=', member)
        .compile(),
    { readOnly: true },
  );
  const { hash, totp, secret_box, last_step, sign_in_name } = row ?? {};
  const isEnrolled = typeof totp === 'string' && secret_box instanceof Uint8Array && typeof last_step === 'number';
  return {
    signInName: sign_in_name,
    password: hash ?? undefined,
    totp: isEnrolled ? { totp, secret_box, last_step } : undefined,
  };
}

async function isActive(tx: Tx, member: MemberId): Promise<boolean> {
  const row = await tx
    .selectFrom('member')
    .select('member')
    .where('member', '=', member)
    .where('state', '=', 'active')
    .executeTakeFirst();
  return row !== undefined;
}
