import type { MemberId } from '@ringfence/base';
import type { RecoveryCodeDigest } from '@ringfence/policy/second-factors';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { Tx } from '../store/open-store.ts';
import { digestOfTyped, spendRecoveryCode } from './recovery-codes.ts';
import { matchCode, spendTotp, type MatchedTotp, type StoredTotp } from './totp.ts';

/** A code that somebody typed beside what they know. */
export interface TypedSecond {
  readonly kind: 'totp' | 'recovery-code';
  readonly code: string;
}

/** What a typed code could be; that it is so is known when it is spent. */
export type CheckedSecond =
  | { readonly kind: 'totp'; readonly matched: MatchedTotp }
  | { readonly kind: 'recovery-code'; readonly digest: RecoveryCodeDigest };

/** Holds a typed code against a member's authenticator, or reads it as a recovery code; changes nothing. */
export function checkSecond(
  context: Pick<ControlPlaneContext, 'clock' | 'identity'>,
  of: { readonly member: MemberId; readonly totp: StoredTotp | undefined },
  { kind, code }: TypedSecond,
): CheckedSecond | undefined {
  if (kind === 'totp') {
    const matched = matchCode(context, of.totp, code);
    return matched && { kind, matched };
  }
  const digest = digestOfTyped(of.member, code);
  return digest && { kind, digest };
}

/** Spends a code once, in the transaction of what it opens. */
export function spendSecond(tx: Tx, member: MemberId, second: CheckedSecond, now: number): Promise<boolean> {
  return second.kind === 'totp'
    ? spendTotp(tx, second.matched)
    : spendRecoveryCode(tx, { member, digest: second.digest, now });
}
