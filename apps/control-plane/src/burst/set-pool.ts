import type { EpochMs } from '@ringfence/base';
import type { Envelope } from '@ringfence/crypto/sign';
import { ledgerAt, readBurstTerms } from '@ringfence/policy/burst';
import type { PoolStatement } from '@ringfence/protocol/statements';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { Caller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { verifyStatement, type VerifiedStatement } from '../jobs/verified-statement.ts';
import type { Tx } from '../store/open-store.ts';
import { openPool, type OpenPool } from './open-pool.ts';

/**
 * Takes an organisation's terms for burst and return, signed by the calling device; the same statement again changes nothing. Throws
 * ControlPlaneError `bad-statement`, or `conflict` for terms that are not the next, or that change currency or period while something is away.
 */
export async function setPool(context: ControlPlaneContext, caller: Caller, envelope: Envelope): Promise<void> {
  const pool = check(caller, envelope);
  await context.changes.run(caller.org, async (tx) => {
    const before = await openPool(tx, caller.org);
    if (before?.row.digest === pool.digest) return;
    // One after the other: nobody takes a number after which no terms could follow.
    if (pool.body.seq !== (before?.row.seq ?? 0) + 1)
      throw new ControlPlaneError('conflict', 'other terms are in force', { next: 'see `ringfence pool status`' });
    const now = context.clock.now();
    if (before === undefined) await insert(tx, pool, now);
    else await replace(tx, { before, pool, now });
    const { device, seq } = pool.body;
    await context.record(tx, caller.org, { type: 'pool-set', device, seq, poolDigest: pool.digest });
    await context.changes.wake(tx, 'place', caller.org);
  });
}

type Verified = VerifiedStatement<'pool'>;

function check({ org, device, keys }: Caller, envelope: Envelope): Verified {
  const pool = verifyStatement('pool', envelope, keys.device);
  const { body } = pool;
  if (body.org !== org || body.device !== device)
    throw new ControlPlaneError('bad-statement', 'the pool names another organisation or device');
  const read = readBurstTerms(body.terms);
  if (!read.allow)
    throw new ControlPlaneError(
      'bad-statement',
      read.reasons.map(({ field, fault }) => `${field}: ${fault}`).join('; '),
      {
        next: 'docs/burst.md says what terms may say',
      },
    );
  return pool;
}

async function insert(tx: Tx, { body, envelope, digest }: Verified, now: EpochMs): Promise<void> {
  const { org, seq } = body;
  await tx
    .insertInto('pool')
    .values({ org, seq, statement: JSON.stringify(envelope), digest, changed_at: null, counted_from: now })
    .execute();
}

async function replace(
  tx: Tx,
  { before, pool, now }: { readonly before: OpenPool; readonly pool: Verified; readonly now: EpochMs },
): Promise<void> {
  const { body, envelope, digest } = pool;
  const money = moneyAfter(before, body, now);
  await tx
    .updateTable('pool')
    .set({ seq: body.seq, statement: JSON.stringify(envelope), digest, ...money })
    .where('org', '=', body.org)
    .execute();
}

/** A period of another length has another number; what was spent in another currency in earlier periods is no part of a sum. */
function moneyAfter({ terms, state, row }: OpenPool, { terms: next }: PoolStatement, now: EpochMs) {
  const [was, is] = [terms.budget, next.budget];
  if (was.currency === is.currency && was.periodMs === is.periodMs) return {};
  if (state.ledger.open.length > 0)
    throw new ControlPlaneError('conflict', 'currency and period stay as they are while attempts are away from home', {
      next: 'set `mostAtOnce` to 0, and change them when `ringfence pool status` shows nothing away',
    });
  const period = Math.floor(now / is.periodMs);
  if (was.currency === is.currency) return { period, spent: row.spent };
  // A budget that began anew with each change of currency would be none.
  if (ledgerAt(state.ledger, was, now).spent > 0)
    throw new ControlPlaneError('conflict', 'the currency stays as it is in a period in which something was spent', {
      next: 'change it in the next period before anything is spent; `mostAtOnce: 0` keeps jobs at home until then',
    });
  return { period, spent: 0, spent_ever: 0, counted_from: now };
}
