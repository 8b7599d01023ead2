import { createHash } from 'node:crypto';
import type { LockId } from '@ringfence/base';
import {
  propose,
  stepProposal,
  type Actor,
  type Proposal,
  type ProposalContext,
  type ProposalEvent,
  type ProposalRefusal,
} from '@ringfence/policy/assurance';
import type { Decision } from '@ringfence/policy';
import { sql, type QueryExecutorProvider } from 'kysely';
import { storedLock, type LockRow, type StoredLock } from './stored-lock.ts';

/** What takes the quorum: that a lock holds on, or that it ends. */
export type LockWish = 'confirm' | 'lift';

/** What happens to a wish; `term` is the one that the person saw. */
export type LockWishEvent =
  | { readonly type: 'approved'; readonly by: Actor; readonly term: number }
  | { readonly type: 'looked' };

/** Why a wish came to nothing: the proposal's reasons, or what became of the lock. */
export type LockWishRefusal = ProposalRefusal | 'no-such-lock' | 'changed' | 'confirmed' | 'custodians';

/** The lock as it is now; whether the wish was carried out by this. */
export interface DecidedLock {
  readonly lock: StoredLock;
  readonly done: boolean;
}

/**
 * One step of confirming or lifting, in a transaction: agreed to by enough members it is carried out at once, by a lone officer when the
 * delay has run. Of a confirmation and a lifting that were agreed to at the same time one is carried out: it makes what was agreed to of
 * the other void.
 */
export async function decideLock(
  tx: QueryExecutorProvider,
  { lock, wants, event }: { readonly lock: LockId; readonly wants: LockWish; readonly event: LockWishEvent },
  context: ProposalContext,
): Promise<Decision<LockWishRefusal, DecidedLock>> {
  const { rows } = await sql<LockRow>`select * from lock where lock = ${lock} and lifted_at is null for update`.execute(
    tx,
  );
  const [row] = rows;
  if (row === undefined) return { allow: false, reasons: ['no-such-lock'] };
  if (row.source === 'custodian') return { allow: false, reasons: ['custodians'] };
  if (wants === 'confirm' && row.until === null) return { allow: false, reasons: ['confirmed'] };
  if (event.type === 'approved' && event.term !== row.term) return { allow: false, reasons: ['changed'] };
  const stepped = step(row, { wants, event }, context);
  if (!stepped.allow) return stepped;
  const { state } = stepped;
  const stored = await (state.phase === 'done'
    ? carryOut(tx, row, { wants, now: context.now })
    : keep(tx, row, { wants, state }));
  if (stored === undefined) return { allow: false, reasons: ['changed'] };
  return { allow: true, lock: storedLock(stored), done: state.phase === 'done' };
}

/** SHA-256 of what exactly is agreed to. */
function digestOf({ lock, term }: LockRow, wants: LockWish): string {
  return createHash('sha256').update(`${wants} ${lock} ${term}`).digest('hex');
}

function step(
  row: LockRow,
  { wants, event }: { readonly wants: LockWish; readonly event: LockWishEvent },
  context: ProposalContext,
): Decision<ProposalRefusal, { readonly state: Proposal }> {
  const digest = digestOf(row, wants);
  const before = wants === 'confirm' ? row.confirming : row.lifting;
  const open = before !== null && before.digest === digest && before.phase !== 'ended';
  const told: ProposalEvent = event.type === 'approved' ? { type: 'approved', by: event.by, digest } : event;
  const first = event.type === 'approved' && !open ? propose(event.by, digest, context) : undefined;
  const stepped = first ?? (open ? stepProposal(before, told, context) : { allow: false, reasons: ['over'] as const });
  if (!stepped.allow || stepped.state.phase !== 'ready') return stepped;
  return stepProposal(stepped.state, { type: 'taken', digest }, context);
}

async function carryOut(
  tx: QueryExecutorProvider,
  { lock, term }: LockRow,
  { wants, now }: { readonly wants: LockWish; readonly now: number },
): Promise<LockRow | undefined> {
  const change = wants === 'confirm' ? sql`until = null, confirmed_at = ${now}` : sql`lifted_at = ${now}`;
  const { rows } = await sql<LockRow>`
    update lock set ${change}, confirming = null, lifting = null, term = term + 1
    where lock = ${lock} and term = ${term} and lifted_at is null returning *`.execute(tx);
  return rows[0];
}

async function keep(
  tx: QueryExecutorProvider,
  { lock, term }: LockRow,
  { wants, state }: { readonly wants: LockWish; readonly state: Proposal },
): Promise<LockRow | undefined> {
  const column = sql.ref(wants === 'confirm' ? 'confirming' : 'lifting');
  const { rows } = await sql<LockRow>`
    update lock set ${column} = ${JSON.stringify(state)}::jsonb
    where lock = ${lock} and term = ${term} and lifted_at is null returning *`.execute(tx);
  return rows[0];
}
