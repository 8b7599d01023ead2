import { fromUtf8, toHex, type MemberId, type OrgId, type Secret } from '@ringfence/base';
import {
  makeRecoveryCode,
  printRecoveryCode,
  readRecoveryCode,
  RECOVERY_CODES,
  recoveryCodeDigest,
  type RecoveryCodeDigest,
} from '@ringfence/policy/second-factors';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';

/** Gives a member ten new codes, as they are printed; those before are void. Two who ask at once get theirs one after the other, and one set counts. */
export async function makeRecoveryCodes(
  { clock, rng }: Pick<ControlPlaneContext, 'clock' | 'rng'>,
  tx: Tx,
  { org, member }: { readonly org: OrgId; readonly member: MemberId },
): Promise<readonly string[]> {
  const set_id = toHex(rng.bytes(16));
  // Locks the member's row: what another one wrote is there to be deleted.
  await tx.updateTable('member').set({ recovery_set: set_id }).where('member', '=', member).execute();
  await tx.deleteFrom('recovery_code').where('member', '=', member).execute();
  const codes = Array.from({ length: RECOVERY_CODES }, () => makeRecoveryCode(rng));
  const made_at = clock.now();
  await tx
    .insertInto('recovery_code')
    .values(codes.map((code) => ({ member, org, digest: recoveryCodeDigest(member, code), set_id, made_at })))
    .execute();
  return codes.map((code) => fromUtf8(printRecoveryCode(code).expose()));
}

/** The digest that a typed code has for a member; undefined for a slip of the hand. */
export function digestOfTyped(member: MemberId, typed: string): RecoveryCodeDigest | undefined {
  const read = readRecoveryCode(typed);
  if (!read.allow) return undefined;
  using code: Secret = read.code;
  return recoveryCodeDigest(member, code);
}

/** Spends a code in one statement: of all who show it one is let in. */
export async function spendRecoveryCode(
  tx: Tx,
  { member, digest, now }: { readonly member: MemberId; readonly digest: RecoveryCodeDigest; readonly now: number },
): Promise<boolean> {
  const spent = await tx
    .updateTable('recovery_code')
    .set({ spent_at: now })
    .where('member', '=', member)
    .where('digest', '=', digest)
    .where('spent_at', 'is', null)
    .returning('set_id')
    .executeTakeFirst();
  return spent !== undefined;
}
