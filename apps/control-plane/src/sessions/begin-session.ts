import { newId, type EpochMs, type MemberId, type OrgId, type Secret, type SessionId } from '@ringfence/base';
import type { SigningPublicKey } from '@ringfence/crypto/sign';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { resumePasskeys } from '../passkeys/passkey-rows.ts';
import { giveFactor, type GivenFactor } from '../members/given-factors.ts';
import type { Tx } from '../store/open-store.ts';
import { drawSessionToken, sessionTokenDigest } from './session-token.ts';
import { MOST_SESSIONS, SESSION_LASTS_MS } from './session-terms.ts';

/** Who signed in, by what, and with which key of the browser. */
export interface SessionBegin {
  readonly org: OrgId;
  readonly member: MemberId;
  readonly publicKey: SigningPublicKey;
  readonly factors: readonly GivenFactor[];
}

/** A session that just began; the token is nowhere else. */
export interface BegunSession {
  readonly session: SessionId;
  readonly member: MemberId;
  readonly token: Secret;
  readonly until: EpochMs;
}

/**
 * Begins a session in the transaction that spends what its member showed. Throws ControlPlaneError `conflict` for a browser key that signed in
 * before.
 */
export async function beginSession(
  { clock, rng, record }: Pick<ControlPlaneContext, 'clock' | 'rng' | 'record'>,
  tx: Tx,
  { org, member, publicKey, factors }: SessionBegin,
): Promise<BegunSession> {
  const session = newId('session', rng);
  const token = drawSessionToken(rng);
  const now = clock.now();
  const until = (now + SESSION_LASTS_MS) as EpochMs;
  const begun = await tx
    .insertInto('session')
    .values({
      session,
      org,
      member,
      token_digest: sessionTokenDigest(token),
      public_key: publicKey,
      made_at: now,
      seen_at: now,
      ends_at: until,
    })
    .onConflict((conflict) => conflict.column('public_key').doNothing())
    .returning('session')
    .executeTakeFirst();
  if (begun === undefined)
    throw new ControlPlaneError('conflict', 'this browser key signed in before', {
      next: 'make a fresh key for each sign-in',
    });
  for (const factor of factors) await giveFactor(tx, { org, member, holder: session }, factor);
  // Who is in by something else has it in hand that a passkey may exist twice.
  if (factors.length > 0 && factors.every(({ kind }) => kind !== 'passkey')) await resumePasskeys(tx, member);
  await endOldest(tx, member, now);
  await record(tx, org, { type: 'session-begun', member, session, factors: factors.map(({ kind }) => kind) });
  return { session, member, token, until };
}

async function endOldest(tx: Tx, member: MemberId, now: number): Promise<void> {
  await tx
    .updateTable('session')
    .set({ ended_at: now })
    .where('ended_at', 'is', null)
    .where('session', 'in', (db) =>
      db
        .selectFrom('session')
        .select('session')
        .where('member', '=', member)
        .where('ended_at', 'is', null)
        .orderBy('made_at', 'desc')
        .orderBy('session')
        .offset(MOST_SESSIONS),
    )
    .execute();
}
