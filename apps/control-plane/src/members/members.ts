import { isId, type EpochMs, type MemberId, type OrgId } from '@ringfence/base';
import type { Role } from '@ringfence/policy/authorise';
import type { MemberList } from '@ringfence/protocol/api';
import { sql } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Asker } from '../http/route.ts';
import { wishedBy, type Wisher } from '../http/wished-by.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { endSessions } from '../sessions/end-sessions.ts';
import { SESSION_IDLE_MS } from '../sessions/session-terms.ts';
import type { Tx } from '../store/open-store.ts';
import { assertMayGive } from './may-give.ts';
import { factorCounts, factorsOf, type FactorCounts } from './enrolled-factors.ts';

interface MemberRow extends FactorCounts {
  readonly member: MemberId;
  readonly state: 'invited' | 'active';
  readonly roles: readonly Role[];
  readonly made_at: EpochMs;
  readonly sessions: number;
}

/** Everybody of an organisation who signs in here or may. */
export async function listMembers(
  { store, clock }: Pick<ControlPlaneContext, 'store' | 'clock'>,
  org: OrgId,
): Promise<MemberList> {
  const now = clock.now();
  const { rows } = await store.withOrg(org, (tx) =>
    sql<MemberRow>`
      select member, state, roles, made_at,
        ${factorCounts(sql.ref('m.member'))},
        (select count(*)::int from session s where s.member = m.member and ended_at is null and ends_at > ${now}
          and seen_at > ${now - SESSION_IDLE_MS}) as sessions
      from member m where state <> 'gone' order by made_at, member`.execute(tx),
  );
  return {
    members: rows.map((row) => ({
      member: row.member,
      state: row.state,
      roles: [...row.roles],
      since: row.made_at,
      factors: factorsOf(row).map(({ kind }) => kind),
      sessions: row.sessions,
    })),
  };
}

/**
 * Takes a member out: sessions end, factors are forgotten, the id stays in the ledger, and their devices stay theirs. Throws ControlPlaneError
 * `not-found`, `not-authorised`.
 */
export async function removeMember(
  context: Pick<ControlPlaneContext, 'changes' | 'clock' | 'record' | 'sessions'>,
  wisher: Wisher & Pick<Asker, 'roles'>,
  member: string,
): Promise<void> {
  if (!isId('member', member)) throw noSuchMember();
  const { org } = wisher;
  await context.changes.run(org, async (tx) => {
    const there = await tx
      .selectFrom('member')
      .select('roles')
      .where('member', '=', member)
      .where('state', '!=', 'gone')
      .forUpdate()
      .executeTakeFirst();
    if (there === undefined) throw noSuchMember();
    assertMayGive(wisher, there.roles);
    await tx
      .updateTable('member')
      .set({ state: 'gone', roles: '[]', recovery_set: null })
      .where('member', '=', member)
      .execute();
    await endSessions(context, tx, org, { member });
    await forgetFactors(tx, member, context.clock.now());
    await context.record(tx, org, { type: 'member-removed', member, asker: wishedBy(wisher) });
  });
  context.sessions.forget();
}

async function forgetFactors(tx: Tx, member: MemberId, now: number): Promise<void> {
  // Whose a device is stays: nobody else steps it up, and a lock on the member goes on naming it.
  for (const table of ['password', 'passkey', 'recovery_code', 'sso_identity', 'given_factor'] as const)
    await tx.deleteFrom(table).where('member', '=', member).execute();
  await tx
    .updateTable('totp')
    .set({ removed_at: now, secret_box: Buffer.alloc(0) })
    .where('member', '=', member)
    .where('removed_at', 'is', null)
    .execute();
  await tx
    .updateTable('invitation')
    .set({ spent_at: now })
    .where('member', '=', member)
    .where('spent_at', 'is', null)
    .execute();
}

function noSuchMember(): ControlPlaneError {
  return new ControlPlaneError('not-found', 'there is no such member', { next: 'see `ringfence member ls`' });
}
