import {
  fromBase64Url,
  newId,
  toBase64Url,
  utf8,
  type EpochMs,
  type InvitationId,
  type MemberId,
  type OrgId,
} from '@ringfence/base';
import { sha256Hex, type Digest } from '@ringfence/crypto/sign';
import type { Role } from '@ringfence/policy/authorise';
import { wishedBy, type Wisher } from '../http/wished-by.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import { drawSignInName } from './sign-in-name.ts';

const SECRET_BYTES = 32;
/** How long an invitation can be accepted, in milliseconds. */
export const INVITED_FOR_MS = 72 * 3_600_000;

/** A member to be; the secret is nowhere else. */
export interface Invited {
  readonly member: MemberId;
  readonly invitation: InvitationId;
  readonly signInName: string;
  readonly secret: string;
  readonly expires: EpochMs;
}

/** Makes a member who is not in yet, and the secret that lets one browser in as them. */
export async function inviteMember(
  context: Pick<ControlPlaneContext, 'changes' | 'clock' | 'rng' | 'record'>,
  wisher: Wisher,
  roles: readonly Role[],
): Promise<Invited> {
  const { clock, rng } = context;
  const { org } = wisher;
  const member = newId('member', rng);
  const invitation = newId('invitation', rng);
  const signInName = drawSignInName(rng);
  const secret = toBase64Url(rng.bytes(SECRET_BYTES));
  const now = clock.now();
  const expires = (now + INVITED_FOR_MS) as EpochMs;
  await context.changes.run(org, async (tx) => {
    await tx
      .insertInto('member')
      .values({
        member,
        org,
        state: 'invited',
        sign_in_name: signInName,
        roles: JSON.stringify(roles),
        made_at: now,
        recovery_set: null,
      })
      .execute();
    await tx
      .insertInto('invitation')
      .values({ invitation, org, member, secret_digest: invitationDigest(secret), made_at: now, expires_at: expires })
      .execute();
    await context.record(tx, org, {
      type: 'member-invited',
      member,
      invitation,
      roles: [...roles],
      asker: wishedBy(wisher),
    });
  });
  return { member, invitation, signInName, secret, expires };
}

/** Whose an invitation is; as much work where there is none. */
export async function orgOfInvitation(store: ControlPlaneStore, secret: string): Promise<OrgId | undefined> {
  const [row] = await store.querySystem(
    'find-invitation',
    (db) => db.selectFrom('invitation').select('org').where('secret_digest', '=', invitationDigest(secret)).compile(),
    { readOnly: true },
  );
  return row?.org;
}

/** Spends an invitation in one statement and lets its member in; of all who show it one is. */
export async function spendInvitation(
  tx: Tx,
  { secret, now }: { readonly secret: string; readonly now: number },
): Promise<MemberId | undefined> {
  const spent = await tx
    .updateTable('invitation')
    .set({ spent_at: now })
    .where('secret_digest', '=', invitationDigest(secret))
    .where('spent_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('member')
    .executeTakeFirst();
  if (spent === undefined) return undefined;
  const entered = await tx
    .updateTable('member')
    .set({ state: 'active' })
    .where('member', '=', spent.member)
    .where('state', '=', 'invited')
    .returning('member')
    .executeTakeFirst();
  return entered?.member;
}

function invitationDigest(secret: string): Digest {
  return sha256Hex(Buffer.concat([utf8('ringfence/invitation/v1\0'), fromBase64Url(secret)]));
}
