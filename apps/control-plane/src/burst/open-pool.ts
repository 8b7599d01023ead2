import { epochMs, type AgentId, type JobId, type OfferId, type OrgId } from '@ringfence/base';
import {
  costOf,
  type AttemptAway,
  type BurstState,
  type BurstTerms,
  type OfferInUse,
  type Reservation,
} from '@ringfence/policy/burst';
import type { PoolStatement } from '@ringfence/protocol/statements';
import type { Insertable, Selectable } from 'kysely';
import { storedStatement } from '../jobs/verified-statement.ts';
import type { Tx } from '../store/open-store.ts';
import type { AwayOfferTable, PoolAttemptTable, PoolTable } from './pool-tables.ts';

/** An attempt's row without what its state says. */
export type PlacedAttempt = Pick<
  Insertable<PoolAttemptTable>,
  'job' | 'attempt' | 'offer' | 'agent' | 'away' | 'since' | 'market_hour' | 'movable'
>;

/** An organisation's pool within one transaction; `state` is what its rows say. */
export interface OpenPool {
  readonly org: OrgId;
  readonly row: Selectable<PoolTable>;
  readonly terms: BurstTerms;
  readonly statement: PoolStatement;
  readonly state: BurstState;
}

/** The organisation's pool, whose rows nobody changes before the organisation's turn ends; undefined where it has none. */
export async function openPool(tx: Tx, org: OrgId): Promise<OpenPool | undefined> {
  const row = await tx.selectFrom('pool').selectAll().where('org', '=', org).executeTakeFirst();
  if (row === undefined) return undefined;
  const [attempts, offers] = await Promise.all([
    tx.selectFrom('pool_attempt').selectAll().where('away', '=', true).where('given_back', '=', false).execute(),
    tx.selectFrom('away_offer').selectAll().orderBy('offer').execute(),
  ]);
  const statement = storedStatement('pool', row.statement);
  return { org, row, statement, terms: statement.terms, state: stateOf(row, attempts, offers) };
}

function stateOf(
  row: Selectable<PoolTable>,
  attempts: readonly Selectable<PoolAttemptTable>[],
  offers: readonly Selectable<AwayOfferTable>[],
): BurstState {
  const alive = attempts.filter(({ ended_at }) => ended_at === null);
  return {
    gate: row.gate,
    changedAt: row.changed_at === null ? null : epochMs(row.changed_at),
    row: { pressure: row.pressure, looks: row.looks },
    away: alive.map(awayOf),
    offers: offers.map((offer) => inUseOf(offer, attempts)),
    ledger: {
      period: row.period,
      spent: row.spent,
      spentEver: row.spent_ever,
      open: alive.map(reservationOf),
    },
  };
}

function awayOf({ job, attempt, offer, since, movable, moving }: Selectable<PoolAttemptTable>): AttemptAway {
  return { job, attempt, offer, since: epochMs(since), movable, moving };
}

function reservationOf(row: Selectable<PoolAttemptTable>): Reservation {
  const { job, attempt, period, hour, since, covered_until, reserved } = row;
  // The table lets no attempt away from home be without them.
  if (period === null || hour === null || covered_until === null || reserved === null)
    throw new RangeError('an attempt away from home holds a reservation');
  const until = { since: epochMs(since), coveredUntil: epochMs(covered_until) };
  return { job, attempt, period, hourMicroUnits: hour, ...until, microUnits: reserved };
}

function inUseOf(
  { offer, phase, emptied_at, deletion_signed, keys_shredded }: Selectable<AwayOfferTable>,
  attempts: readonly Selectable<PoolAttemptTable>[],
): OfferInUse {
  const jobs = [...new Set(attempts.filter((each) => each.offer === offer).map(({ job }) => job))];
  const emptiedAt = emptied_at === null ? null : epochMs(emptied_at);
  return { offer, phase, jobs, emptiedAt, deletionSigned: deletion_signed, keysShredded: keys_shredded };
}

/** What was placed in a transaction, beside the state that it led to. */
export interface PoolChange {
  readonly after: BurstState;
  readonly now: number;
  readonly placed?: readonly PlacedAttempt[];
}

/** Writes down what changed since the pool was opened. */
export async function savePool(
  tx: Tx,
  { org, state: before }: Pick<OpenPool, 'org' | 'state'>,
  change: PoolChange,
): Promise<void> {
  const { after, now, placed = [] } = change;
  await savePoolRow(tx, org, before, after);
  await insertPlaced(tx, org, after, placed);
  const alive = new Map(after.away.map((each) => [nameOf(each), each]));
  for (const attempt of before.away) {
    const still = alive.get(nameOf(attempt));
    if (still === undefined) await endAttempt(tx, before, { ...attempt, now });
    else if (still.moving !== attempt.moving) await setAttempt(tx, attempt, { moving: still.moving });
  }
  await saveOffers(tx, org, { before, after, agents: new Map(placed.map(({ offer, agent }) => [offer, agent])) });
}

const nameOf = ({ job, attempt }: { readonly job: JobId; readonly attempt: number }): string => `${job} ${attempt}`;

async function savePoolRow(tx: Tx, org: OrgId, before: BurstState, after: BurstState): Promise<void> {
  const columns = ({ gate, changedAt, row, ledger }: BurstState) => ({
    gate,
    changed_at: changedAt,
    ...row,
    period: ledger.period,
    spent: ledger.spent,
    spent_ever: ledger.spentEver,
  });
  const values = columns(after);
  if (JSON.stringify(values) === JSON.stringify(columns(before))) return;
  await tx.updateTable('pool').set(values).where('org', '=', org).execute();
}

async function insertPlaced(
  tx: Tx,
  org: OrgId,
  { ledger }: BurstState,
  placed: readonly PlacedAttempt[],
): Promise<void> {
  if (placed.length === 0) return;
  const held = new Map(ledger.open.map((each) => [nameOf(each), each]));
  const rows = placed.map((attempt) => {
    const reservation = held.get(nameOf(attempt));
    return {
      ...attempt,
      org,
      hour: reservation?.hourMicroUnits ?? null,
      period: reservation?.period ?? null,
      covered_until: reservation?.coveredUntil ?? null,
      reserved: reservation?.microUnits ?? null,
      ended_at: null,
      cost: null,
    };
  });
  await tx.insertInto('pool_attempt').values(rows).execute();
}

/** The same sum as the ledger's own. */
async function endAttempt(
  tx: Tx,
  { ledger }: BurstState,
  { now, ...name }: { readonly job: JobId; readonly attempt: number; readonly now: number },
): Promise<void> {
  const held = ledger.open.find((each) => nameOf(each) === nameOf(name));
  if (held === undefined) throw new RangeError('an attempt away from home holds a reservation');
  const cost = costOf(held.hourMicroUnits, Math.min(now, held.coveredUntil) - held.since);
  await setAttempt(tx, name, { ended_at: now, cost });
}

async function setAttempt(
  tx: Tx,
  { job, attempt }: { readonly job: JobId; readonly attempt: number },
  change: Partial<Pick<Selectable<PoolAttemptTable>, 'ended_at' | 'cost' | 'moving'>>,
): Promise<void> {
  await tx
    .updateTable('pool_attempt')
    .set(change)
    .where('job', '=', job)
    .where('attempt', '=', attempt)
    .where('ended_at', 'is', null)
    .execute();
}

/** Offers in use, before and after, and whose machines the new ones are. */
interface OffersChange {
  readonly before: BurstState;
  readonly after: BurstState;
  readonly agents: ReadonlyMap<OfferId, AgentId>;
}

async function saveOffers(tx: Tx, org: OrgId, { before, after, agents }: OffersChange): Promise<void> {
  const known = new Map(before.offers.map((each) => [each.offer, each]));
  for (const each of after.offers) {
    const { offer, phase, emptiedAt, deletionSigned, keysShredded } = each;
    if (known.get(offer) === each) continue;
    const values = { phase, emptied_at: emptiedAt, deletion_signed: deletionSigned, keys_shredded: keysShredded };
    if (known.has(offer)) await tx.updateTable('away_offer').set(values).where('offer', '=', offer).execute();
    else
      await tx
        .insertInto('away_offer')
        .values({ offer, org, agent: agentOf(agents, offer), ...values })
        .execute();
  }
  const left = new Set(after.offers.map(({ offer }) => offer));
  const gone = before.offers.map(({ offer }) => offer).filter((offer) => !left.has(offer));
  if (gone.length > 0) await tx.deleteFrom('away_offer').where('offer', 'in', gone).execute();
}

function agentOf(agents: ReadonlyMap<OfferId, AgentId>, offer: OfferId): AgentId {
  const agent = agents.get(offer);
  if (agent === undefined) throw new RangeError('an offer comes into use by a placement');
  return agent;
}
