import type { EpochMs } from '@ringfence/base';
import { CEREMONY_ASSURANCE } from '@ringfence/policy/assurance';
import type { passwordChange } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { SessionCaller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { endSessions } from '../sessions/end-sessions.ts';
import { giveFactor, givenTo } from './given-factors.ts';
import { checkPassword, PASSWORD_CHARACTERS } from './password-rules.ts';
import { credentialsOf, type SignInTry } from './sign-in.ts';
import { beginTryFrom } from './wrong-tries.ts';

/**
 * Sets a member's password and ends their other sessions. The current one is asked for, unless a passkey that was just given, and is older than the session, resets one that was
 * forgotten. Throws ControlPlaneError `bad-request` for a new one that is too short, too long or common, and for a current one that is missing or
 * wrong; `too-much` before a wrong try's wait is over.
 */
export async function changePassword(
  context: ControlPlaneContext,
  caller: SessionCaller,
  { body, address }: SignInTry<z.output<typeof passwordChange>>,
): Promise<void> {
  const { org, member, session } = caller;
  assertMayBe(body.password);
  await assertCurrent(context, caller, { body, address });
  const hash = await context.passwords.hash(body.password);
  await context.changes.run(org, async (tx) => {
    const changed_at = context.clock.now();
    await tx
      .insertInto('password')
      .values({ member, org, hash, changed_at })
      .onConflict((conflict) => conflict.column('member').doUpdateSet({ hash, changed_at }))
      .execute();
    await giveFactor(tx, { org, member, holder: session }, { kind: 'password', at: changed_at, traits: {} });
    await endSessions(context, tx, org, { member, but: session });
    await context.record(tx, org, { type: 'factor-enrolled', member, factor: 'password' });
  });
  context.sessions.forget();
}

function assertMayBe(password: string): void {
  const checked = checkPassword(password);
  if (checked.allow) return;
  throw new ControlPlaneError('bad-request', FAULTS[checked.reasons[0] ?? 'common'], {
    next: 'several random words make a good one',
  });
}

const FAULTS = {
  'too-short': `a password has at least ${PASSWORD_CHARACTERS.least} characters`,
  'too-long': `a password has at most ${PASSWORD_CHARACTERS.most} characters`,
  common: 'this password is one of the first that anybody tries',
} as const;

/** A wrong current password counts as a wrong try of the account: a session that somebody else sits at guesses no faster than the sign-in page. */
async function assertCurrent(
  context: ControlPlaneContext,
  caller: SessionCaller,
  { body: { current }, address }: SignInTry<z.output<typeof passwordChange>>,
): Promise<void> {
  const { org, member } = caller;
  const { password: known, signInName } = await credentialsOf(context, org, member);
  if (known === undefined) return;
  if (current === undefined) {
    if (await hasYoungPasskey(context, caller)) return;
    throw new ControlPlaneError('bad-request', 'a change of the password takes the current one', {
      next: 'type it beside the new one; if it is forgotten, step up first with a passkey that is older than this session',
    });
  }
  const { tell, right } = await beginTryFrom(context, { name: signInName ?? member, address });
  if (!(await context.passwords.verify(known, current))) {
    context.addressTries.wrong(address);
    throw new ControlPlaneError('bad-request', 'this is not the current password', {
      next: 'type the one that you sign in with; if it is forgotten, step up with a passkey that is older than this session and leave it out',
    });
  }
  // Nothing is changed yet: who is refused here begins again.
  await context.changes.run(org, (tx) => tell(tx, caller));
  await right();
}

async function hasYoungPasskey(
  { store, clock }: Pick<ControlPlaneContext, 'store' | 'clock'>,
  { org, session }: SessionCaller,
): Promise<boolean> {
  const age = (at: EpochMs): number => clock.now() - at;
  const { withinMs } = CEREMONY_ASSURANCE['factor:add'];
  const given = await givenTo(store, org, session);
  const [begun] = await store.queryOrg(
    org,
    (db) => db.selectFrom('session').select('made_at').where('session', '=', session).compile(),
    { readOnly: true },
  );
  return given.some(
    ({ kind, at, traits: { userVerified, addedAt } }) =>
      kind === 'passkey' &&
      userVerified === true &&
      age(at) >= 0 &&
      age(at) < withinMs &&
      // Whoever sits at somebody's session makes a passkey in it.
      addedAt !== undefined &&
      begun !== undefined &&
      addedAt < begun.made_at,
  );
}
