import { epochMs, type EpochMs, type OrgId } from '@ringfence/base';
import { costReport, reservedIn, type FinishedRun } from '@ringfence/policy/burst';
import type { PoolDecisions, PoolView } from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { KeptInventory } from '../placement/kept-inventory.ts';
import type { Tx } from '../store/open-store.ts';
import { lookAtQueue } from './look-at-queue.ts';
import { openPool, type OpenPool } from './open-pool.ts';

/** As many decisions as are shown, the newest. */
const MOST_DECISIONS = 500;
/** As many runs of a period as a report sums up, the newest. */
const MOST_RUNS = 50_000;

/** Where an organisation's pool is now. Throws ControlPlaneError `not-found` where it has none. */
export function viewPool({ store, asked, clock }: ControlPlaneContext, org: OrgId): Promise<PoolView> {
  return store.withOrg(
    org,
    async (tx) => {
      const pool = await openPool(tx, org);
      if (pool === undefined) throw noPool();
      const now = clock.now();
      const kept = asked.of(org);
      const { queue } = await lookAtQueue(tx, kept, { org, terms: pool.terms, now, monotonic: clock.monotonic() });
      const { longestWaitMs = null, ...counts } = queue;
      await kept.bringUpToDate(tx, now);
      return { ...view(pool), queue: { ...counts, longestWaitMs }, ...(await machines(tx, pool, { kept, now })) };
    },
    { readOnly: true },
  );
}

/** The signed decisions about burst and return, and what agents signed to have deleted. */
export function listDecisions({ store }: ControlPlaneContext, org: OrgId): Promise<PoolDecisions> {
  return store.withOrg(
    org,
    async (tx) => {
      const rows = await tx
        .selectFrom('burst_decision')
        .select('statement')
        .orderBy('seq', 'desc')
        .limit(MOST_DECISIONS)
        .execute();
      const orders = await tx
        .selectFrom('deletion_order')
        .select('deletion')
        .where('deletion', 'is not', null)
        .orderBy('asked_at', 'desc')
        .limit(MOST_DECISIONS)
        .execute();
      return {
        decisions: rows.toReversed().map(({ statement }) => statement),
        deletions: orders.toReversed().flatMap(({ deletion }) => deletion ?? []),
      };
    },
    { readOnly: true },
  );
}

function noPool(): ControlPlaneError {
  return new ControlPlaneError('not-found', 'the organisation has no pool: jobs go where they may, at any time', {
    next: 'say what leaving home may cost with `ringfence pool set`',
  });
}

function view({ row, terms, statement, state }: OpenPool): Omit<PoolView, 'queue' | 'offers' | 'costs'> {
  const { ledger, gate, changedAt } = state;
  const reserved = reservedIn(ledger);
  const { microUnits, currency } = terms.budget;
  const { period, spent, spentEver } = ledger;
  const left = Math.max(0, microUnits - spent - reserved);
  return {
    seq: row.seq,
    terms,
    homeHour: statement.homeHour,
    statement: row.statement,
    gate: { state: gate, changedAt, ...state.row },
    budget: { period, spent, reserved, left, microUnits, currency, spentEver },
    away: state.away.map(({ job, attempt, offer, since, moving }) => {
      const held = ledger.open.find((each) => each.job === job && each.attempt === attempt);
      const cover = { coveredUntil: held?.coveredUntil ?? since, reserved: held?.microUnits ?? 0 };
      return { job, attempt, offer, since, moving, ...cover };
    }),
  };
}

async function machines(
  tx: Tx,
  { row, state, terms, statement }: OpenPool,
  { kept, now }: { readonly kept: KeptInventory; readonly now: EpochMs },
): Promise<Pick<PoolView, 'offers' | 'costs'>> {
  const inUse = new Map(state.offers.map((each) => [each.offer, each]));
  const rows = await tx.selectFrom('away_offer').select(['offer', 'agent']).orderBy('offer').execute();
  const offers = rows.flatMap(({ offer, agent }) => {
    const { jobs: _ended, ...step } = inUse.get(offer) ?? {};
    const live = new Set(state.away.filter((attempt) => attempt.offer === offer).map(({ job }) => job));
    return 'phase' in step ? [{ ...step, agent, jobs: live.size }] : [];
  });
  const { periodMs } = terms.budget;
  const countedFrom = row.counted_from ?? 0;
  // Own machines cost nothing of a pool's before there was one.
  const span = { from: epochMs(Math.max(Math.floor(now / periodMs) * periodMs, countedFrom)), until: now };
  const home = {
    machines: kept.all().filter(({ found }) => found?.offer.tier === 'private').length,
    machineHour: statement.homeHour,
  };
  const runs = await finishedRuns(tx, span.from, countedFrom);
  const costs = { ...span, runs: runs.length, homeMachines: home.machines, homeHour: home.machineHour };
  return { offers, costs: { ...costs, ...costReport(runs, home, span) } };
}

async function finishedRuns(tx: Tx, from: number, countedFrom: number): Promise<FinishedRun[]> {
  const rows = await tx
    .selectFrom('pool_attempt')
    .select(['since', 'ended_at', 'hour', 'market_hour'])
    .where('ended_at', '>=', from)
    // What began before is priced in another currency, if at all.
    .where('since', '>=', countedFrom)
    .orderBy('ended_at', 'desc')
    .limit(MOST_RUNS)
    .execute();
  return rows.map(({ since, ended_at, hour, market_hour }) => ({
    startedAt: since,
    endedAt: ended_at ?? since,
    awayHour: hour ?? undefined,
    marketHour: market_hour ?? undefined,
  }));
}
