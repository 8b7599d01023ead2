import type { EpochMs, MemberId, OrgId } from '@ringfence/base';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { KnownPasskey, PasskeyUse } from './verify-assertion.ts';
import type { NewPasskey } from './verify-registration.ts';

/** How many passkeys a member may have. */
export const MOST_PASSKEYS = 20;

/** A passkey of the table, and whose it is. */
export interface FoundPasskey extends KnownPasskey {
  readonly org: OrgId;
  readonly member: MemberId;
  readonly mayBeCopied: boolean;
  readonly addedAt: EpochMs;
}

/** The passkey of an id, of whichever organisation, whose member is active; undefined for one that is unknown. */
export async function findPasskey(store: ControlPlaneStore, credential: string): Promise<FoundPasskey | undefined> {
  const [row] = await store.querySystem(
    'find-passkey',
    (db) =>
      db
        .selectFrom('passkey')
        .innerJoin('member', 'member.member', 'passkey.member')
        .select(['credential', 'passkey.org', 'passkey.member', 'public_key', 'may_be_copied', 'added_at'])
        .where('credential', '=', credential)
        .where('member.state', '=', 'active')
        .compile(),
    { readOnly: true },
  );
  if (row === undefined) return undefined;
  const { org, member, public_key: publicKey, may_be_copied: mayBeCopied, added_at: addedAt } = row;
  return { credential, org, member, publicKey, mayBeCopied, addedAt: addedAt as EpochMs };
}

/** Whose passkey it becomes, and when. */
interface PasskeyOf {
  readonly org: OrgId;
  readonly member: MemberId;
  readonly now: number;
}

/** Adds a passkey; false where its id is known already, in whichever organisation, or the member has as many as they may. */
export async function addPasskey(tx: Tx, { org, member, now }: PasskeyOf, passkey: NewPasskey): Promise<boolean> {
  // Locks the member's row: of two who add the last one that there is room for, one sees the other's.
  await tx.selectFrom('member').select('member').where('member', '=', member).forUpdate().executeTakeFirstOrThrow();
  if ((await listPasskeys(tx, member)).length >= MOST_PASSKEYS) return false;
  const added = await tx
    .insertInto('passkey')
    .values({
      credential: passkey.credential,
      org,
      member,
      public_key: passkey.publicKey,
      sign_count: passkey.signCount,
      may_be_copied: passkey.mayBeCopied,
      aaguid: passkey.aaguid,
      added_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('credential')
    .executeTakeFirst();
  return added !== undefined;
}

/** A member's passkeys, oldest first. */
export function listPasskeys(tx: Tx, member: MemberId) {
  return tx
    .selectFrom('passkey')
    .select(['credential', 'aaguid', 'may_be_copied', 'added_at', 'used_at', 'suspended_at'])
    .where('member', '=', member)
    .orderBy('added_at')
    .orderBy('credential')
    .execute();
}

/** Takes a member's passkey away; whether there was one. */
export async function removePasskey(tx: Tx, member: MemberId, credential: string): Promise<boolean> {
  const removed = await tx
    .deleteFrom('passkey')
    .where('member', '=', member)
    .where('credential', '=', credential)
    .returning('credential')
    .executeTakeFirst();
  return removed !== undefined;
}

type Parts = Pick<ControlPlaneContext, 'clock' | 'record'>;

/**
 * Notes a use that was verified, by the statement that refuses a counter that did not rise (WebAuthn §6.1.1): such a passkey may exist twice, and
 * is suspended until its member signs in with something else. Whether the use counts.
 */
export async function notePasskeyUse(
  { clock, record }: Parts,
  tx: Tx,
  { org, member, credential }: FoundPasskey,
  { signCount }: PasskeyUse,
): Promise<boolean> {
  const now = clock.now();
  const used = await tx
    .updateTable('passkey')
    .set({ sign_count: signCount, used_at: now })
    .where('credential', '=', credential)
    .where('member', '=', member)
    .where('suspended_at', 'is', null)
    .where((is) =>
      is.or([is('sign_count', '<', signCount), is.and([is('sign_count', '=', 0), is.val(signCount === 0)])]),
    )
    .returning('member')
    .executeTakeFirst();
  if (used !== undefined) return true;
  const suspended = await tx
    .updateTable('passkey')
    .set({ suspended_at: now })
    .where('credential', '=', credential)
    .where('suspended_at', 'is', null)
    .returning('member')
    .executeTakeFirst();
  if (suspended !== undefined) await record(tx, org, { type: 'passkey-suspended', member });
  return false;
}

/** Lets a member's suspended passkeys count again, since they signed in with something else. */
export async function resumePasskeys(tx: Tx, member: MemberId): Promise<void> {
  await tx
    .updateTable('passkey')
    .set({ suspended_at: null })
    .where('member', '=', member)
    .where('suspended_at', 'is not', null)
    .execute();
}
