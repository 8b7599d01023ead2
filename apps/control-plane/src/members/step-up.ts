import { newId, type EpochMs, type MemberId, type Secret } from '@ringfence/base';
import { levelOf } from '@ringfence/policy/assurance';
import type { stepUpGiven, StepUpAnswer } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Asker } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { sessionTokenDigest } from '../sessions/session-token.ts';
import type { Tx } from '../store/open-store.ts';
import { ASSURANCE_RULES } from './assurance-rules.ts';
import { giveFactor, type GivenFactor } from './given-factors.ts';
import { checkSecond, spendSecond } from './second-factor.ts';
import { credentialsOf, findMember, notSignedIn, type SignInTry } from './sign-in.ts';
import { readSignInName } from './sign-in-name.ts';
import { standingOf } from './standing.ts';
import { beginTryFrom, type NamedTry } from './wrong-tries.ts';

type Body = z.output<typeof stepUpGiven>;

/**
 * Takes a factor that is given now, and keeps it for the session or device that gave it. A device is its member's from the first one on; a session
 * has `token` from then on. Throws
 * ControlPlaneError `not-authenticated` for whatever is wrong, and `too-much` before a wrong try's wait is over.
 */
export async function stepUp(
  context: ControlPlaneContext,
  asker: Asker,
  { body: { signInName, factor }, address }: SignInTry<Body>,
  token?: Secret,
): Promise<StepUpAnswer> {
  if ('device' in asker && factor.kind === 'recovery-code')
    throw new ControlPlaneError('bad-request', 'a recovery code regains a member’s own factors, in a browser', {
      next: 'sign in with password and recovery code at /account',
    });
  const { member, name } = await whose(context, asker, signInName);
  const { tell, right } = await beginTryFrom(context, { name, address });
  const given = await take(context, { asker, member, token }, factor, tell);
  if (given === undefined) {
    context.addressTries.wrong(address);
    throw notSignedIn();
  }
  context.sessions.forget();
  await right();
  return stepUpAnswer(context, asker);
}

/** How sure this control plane is of who asks, after what was given. */
export async function stepUpAnswer(
  context: Pick<ControlPlaneContext, 'store' | 'clock'>,
  asker: Asker,
): Promise<StepUpAnswer> {
  const { factors, given } = await standingOf(context, asker);
  return { level: levelOf(factors, ASSURANCE_RULES), given: given.map(({ kind, at }) => ({ kind, at })) };
}

/** The member who would have given it, and the name whose tries are counted; for a name of nobody here somebody without factors, at the same cost. */
async function whose(
  context: ControlPlaneContext,
  asker: Asker,
  typed: string | undefined,
): Promise<{ readonly member: MemberId; readonly name: string }> {
  const { member } = await standingOf(context, asker);
  if (member !== null) {
    const { signInName } = await credentialsOf(context, asker.org, member);
    return { member, name: signInName ?? member };
  }
  if (typed === undefined)
    throw new ControlPlaneError('bad-request', 'nobody has stepped up this device yet', {
      next: 'say whose it is: `ringfence account step-up --name SIGN-IN-NAME`',
    });
  const name = readSignInName(typed) ?? typed;
  const found = await findMember(context, name);
  return { member: found?.org === asker.org ? found.member : newId('member', context.rng), name };
}

async function take(
  context: ControlPlaneContext,
  giver: Omit<Giving, 'given'>,
  factor: Body['factor'],
  tell: NamedTry['tell'],
): Promise<GivenFactor | undefined> {
  const { asker, member } = giver;
  const { org } = asker;
  const { password, totp } = await credentialsOf(context, org, member);
  const at: EpochMs = context.clock.now();
  const given: GivenFactor = { kind: factor.kind, at, traits: {} };
  const keepIt = async (tx: Tx) => {
    const kept = await keep(context, tx, { ...giver, given });
    if (kept !== undefined) await tell(tx, { org, member });
    return kept;
  };
  if (factor.kind === 'password') {
    if (!(await context.passwords.verify(password, factor.password))) return undefined;
    return context.changes.run(org, keepIt);
  }
  const second = checkSecond(context, { member, totp }, factor);
  if (second === undefined) return undefined;
  return context.changes.run(org, async (tx) => ((await spendSecond(tx, member, second, at)) ? keepIt(tx) : undefined));
}

/** What is given, by whom, and with which token the session that gave it goes on; with its old one where there is none. */
interface Giving {
  readonly asker: Asker;
  readonly member: MemberId;
  readonly given: GivenFactor;
  readonly token?: Secret | undefined;
}

/** Keeps what was just verified in the transaction that spends it; undefined where the device is somebody else's, or its session has ended. */
export async function keep(
  { record }: Pick<ControlPlaneContext, 'record'>,
  tx: Tx,
  { asker, member, given, token }: Giving,
): Promise<GivenFactor | undefined> {
  const { org } = asker;
  const holder = 'device' in asker ? asker.device : asker.session;
  const claimed = 'device' in asker ? await claim(tx, asker, member, given.at) : undefined;
  const isTheirs = claimed?.owner === member || ('session' in asker && (await isOpen(tx, asker, token)));
  if (!isTheirs) return undefined;
  await giveFactor(tx, { org, member, holder }, given);
  const first = claimed?.isFirst === true ? ({ first: true } as const) : {};
  await record(tx, org, { type: 'stepped-up', member, holder, factor: given.kind, ...first });
  return given;
}

/** A device is the member's who first stepped it up, and stays theirs. */
async function claim(
  tx: Tx,
  { org, device }: Extract<Asker, { device: unknown }>,
  member: MemberId,
  at: number,
): Promise<{ readonly owner: MemberId; readonly isFirst: boolean }> {
  const inserted = await tx
    .insertInto('member_device')
    .values({ device, org, member, at })
    .onConflict((conflict) => conflict.doNothing())
    .returning('device')
    .executeTakeFirst();
  const { member: owner } = await tx
    .selectFrom('member_device')
    .select('member')
    .where('device', '=', device)
    .executeTakeFirstOrThrow();
  return { owner, isFirst: inserted !== undefined };
}

async function isOpen(
  tx: Tx,
  { session }: Extract<Asker, { session: unknown }>,
  token: Secret | undefined,
): Promise<boolean> {
  if (token !== undefined) {
    const rotated = await tx
      .updateTable('session')
      .set({ token_digest: sessionTokenDigest(token) })
      .where('session', '=', session)
      .where('ended_at', 'is', null)
      .returning('session')
      .executeTakeFirst();
    return rotated !== undefined;
  }
  const open = await tx
    .selectFrom('session')
    .select('session')
    .where('session', '=', session)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return open !== undefined;
}
