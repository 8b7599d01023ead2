import type { MemberId, OrgId } from '@ringfence/base';
import type { Factor } from '@ringfence/policy/assurance';
import { sql, type Expression, type RawBuilder } from 'kysely';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { GivenFactorTable } from './identity-tables.ts';

/** Kinds of factors that a member could give, with how many recovery codes are left. */
export interface EnrolledFactors {
  readonly kinds: readonly GivenFactorTable['kind'][];
  readonly recoveryCodes: number;
  /** The best that each could be, for telling what would be enough. */
  readonly factors: readonly (Factor & { readonly kind: GivenFactorTable['kind'] })[];
}

/** What a member has enrolled, counted; of providers the most that one of them assures. */
export interface FactorCounts {
  readonly password: boolean;
  readonly totp: boolean;
  readonly recovery_codes: number;
  readonly passkeys: number;
  readonly bound_passkeys: number;
  readonly sso: number;
}

/** What a member has enrolled here. */
export async function enrolledFactors(
  store: Pick<ControlPlaneStore, 'withOrg'>,
  org: OrgId,
  member: MemberId,
): Promise<EnrolledFactors> {
  return store.withOrg(org, (tx) => enrolledIn(tx, member));
}

/** {@link enrolledFactors} in a running transaction. */
export async function enrolledIn(tx: Tx, member: MemberId): Promise<EnrolledFactors> {
  const { rows } = await sql<FactorCounts>`select ${factorCounts(sql.val(member))}`.execute(tx);
  const [counted] = rows;
  const factors = counted === undefined ? [] : factorsOf(counted);
  return { kinds: factors.map(({ kind }) => kind), recoveryCodes: counted?.recovery_codes ?? 0, factors };
}

/** The columns of {@link FactorCounts} for `member`, a value or a column: a suspended passkey and a provider that was removed count for nothing. */
export function factorCounts(member: Expression<string>): RawBuilder<unknown> {
  return sql`
    exists (select from password where password.member = ${member}) as password,
    exists (select from totp
      where totp.member = ${member} and confirmed_at is not null and removed_at is null) as totp,
    (select count(*)::int from recovery_code
      where recovery_code.member = ${member} and spent_at is null) as recovery_codes,
    (select count(*)::int from passkey where passkey.member = ${member} and suspended_at is null) as passkeys,
    (select count(*)::int from passkey
      where passkey.member = ${member} and suspended_at is null and not may_be_copied) as bound_passkeys,
    (select coalesce(max(assures), 0)::int from sso_identity join sso_provider using (provider)
      where sso_identity.member = ${member} and removed_at is null) as sso`;
}

/** What {@link factorCounts} found, best first. */
export function factorsOf(counted: FactorCounts): EnrolledFactors['factors'] {
  const at = 0 as Factor['at'];
  const { sso } = counted;
  return [
    ...(counted.passkeys > 0
      ? [{ kind: 'passkey' as const, at, userVerified: true, mayBeCopied: counted.bound_passkeys === 0 }]
      : []),
    ...(counted.totp ? [{ kind: 'totp' as const, at }] : []),
    ...(counted.password ? [{ kind: 'password' as const, at }] : []),
    ...(sso === 1 || sso === 2 ? [{ kind: 'sso' as const, at, assures: sso as 1 | 2 }] : []),
    ...(counted.recovery_codes > 0 ? [{ kind: 'recovery-code' as const, at }] : []),
  ];
}

/** Whether somebody who has these could be let in by more than what they know: until then their first factors ask nothing beside their session. */
export function hasSecondFactor({ factors }: EnrolledFactors): boolean {
  return factors.some((factor) => {
    if (factor.kind === 'sso') return factor.assures === 2;
    return factor.kind !== 'password' && factor.kind !== 'recovery-code';
  });
}
