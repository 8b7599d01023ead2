import { newId, Secret, type MemberId, type OrgId, type TotpId } from '@ringfence/base';
import { CryptoError, openAtRest, sealAtRest, type RecordKey, type RestingPlace } from '@ringfence/crypto/record';
import { matchTotp, readTotp, TOTP_SECRET_BYTES } from '@ringfence/policy/second-factors';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { hotp } from './hotp.ts';

type Parts = Pick<ControlPlaneContext, 'clock' | 'rng' | 'identity'>;

/** An authenticator of the table. */
export interface StoredTotp {
  readonly totp: TotpId;
  readonly secret_box: Uint8Array;
  readonly last_step: number;
}

/** A code that fits; whoever spends its step first is let in. */
export interface MatchedTotp {
  readonly totp: TotpId;
  readonly step: number;
}

/** Begins an authenticator of a member, in place of one that was begun and never confirmed; its secret is told this once. */
export async function beginTotp(
  { clock, rng, identity }: Parts,
  tx: Tx,
  { org, member }: { readonly org: OrgId; readonly member: MemberId },
): Promise<Secret | undefined> {
  const totp = newId('totp', rng);
  const secret = new Secret(rng.bytes(TOTP_SECRET_BYTES));
  const now = clock.now();
  await tx
    .updateTable('totp')
    .set({ removed_at: now })
    .where('member', '=', member)
    .where('removed_at', 'is', null)
    .where('confirmed_at', 'is', null)
    .execute();
  const secret_box = sealAtRest(identity.records, placeOf(totp), secret.expose(), rng);
  const begun = await tx
    .insertInto('totp')
    .values({ totp, org, member, secret_box, last_step: -1, made_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .returning('totp')
    .executeTakeFirst();
  return begun === undefined ? undefined : secret;
}

/** Makes the authenticator that was begun the member's, by its first code; the one before is theirs no more. */
export async function confirmTotp(parts: Parts, tx: Tx, member: MemberId, code: string): Promise<boolean> {
  const begun = await tx
    .selectFrom('totp')
    .select(['totp', 'secret_box', 'last_step'])
    .where('member', '=', member)
    .where('removed_at', 'is', null)
    .where('confirmed_at', 'is', null)
    .executeTakeFirst();
  const matched = matchCode(parts, begun, code);
  if (matched === undefined) return false;
  const now = parts.clock.now();
  await removeTotp(tx, member, now);
  const confirmed = await tx
    .updateTable('totp')
    .set({ confirmed_at: now, last_step: matched.step })
    .where('totp', '=', matched.totp)
    .where('removed_at', 'is', null)
    .where('confirmed_at', 'is', null)
    .where('last_step', '<', matched.step)
    .returning('totp')
    .executeTakeFirst();
  return confirmed !== undefined;
}

/** Takes a member's authenticator away; whether there was one. */
export async function removeTotp(tx: Tx, member: MemberId, now: number): Promise<boolean> {
  const removed = await tx
    .updateTable('totp')
    .set({ removed_at: now })
    .where('member', '=', member)
    .where('removed_at', 'is', null)
    .where('confirmed_at', 'is not', null)
    .returning('totp')
    .execute();
  return removed.length > 0;
}

/**
 * Which step of `stored` a typed code is good for, from memory: it spends nothing. An authenticator whose box does not open counts for nothing, and
 * where there is none as much is computed.
 */
export function matchCode(
  { clock, identity }: Pick<Parts, 'clock' | 'identity'>,
  stored: StoredTotp | undefined,
  typed: string,
): MatchedTotp | undefined {
  const code = readTotp(typed);
  const opened = stored === undefined ? undefined : open(identity.records, stored);
  using secret = opened ?? new Secret(new Uint8Array(TOTP_SECRET_BYTES));
  if (code === undefined) return undefined;
  const matched = matchTotp({ secret, code, lastStep: stored?.last_step ?? -1, now: clock.now() }, hotp);
  if (opened === undefined || stored === undefined || !matched.allow) return undefined;
  return { totp: stored.totp, step: matched.step };
}

/** Spends a step in one statement: of all who show its code one is let in. */
export async function spendTotp(tx: Tx, { totp, step }: MatchedTotp): Promise<boolean> {
  const spent = await tx
    .updateTable('totp')
    .set({ last_step: step })
    .where('totp', '=', totp)
    .where('confirmed_at', 'is not', null)
    .where('removed_at', 'is', null)
    .where('last_step', '<', step)
    .returning('totp')
    .executeTakeFirst();
  return spent !== undefined;
}

function open(records: RecordKey, { totp, secret_box }: StoredTotp): Secret | undefined {
  try {
    return new Secret(openAtRest(records, placeOf(totp), secret_box));
  } catch (error) {
    if (error instanceof CryptoError) return undefined;
    throw error;
  }
}

function placeOf(totp: TotpId): RestingPlace {
  return { table: 'totp', column: 'secret_box', row: totp };
}
