import { errorFields, type OrgId } from '@ringfence/base';
import {
  stepBurst,
  type AttemptAway,
  type BurstCommand,
  type BurstEvent,
  type BurstState,
} from '@ringfence/policy/burst';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import type { SeenLeases } from '../jobs/silent-leases.ts';
import type { Tx } from '../store/open-store.ts';
import { carryOut } from './carry-out.ts';
import { lookAtQueue, type QueueLook } from './look-at-queue.ts';
import { openPool, savePool, type OpenPool } from './open-pool.ts';
import { endAtHome, overAttempts, type OverAttempt } from './over-attempts.ts';

/** How often each organisation's queue is looked at. */
const LOOK_MS = 1_000;

/** What one look found, before anything is changed. */
interface Seen {
  readonly look: QueueLook;
  readonly over: readonly OverAttempt[];
}

/** Looks at the queue of each organisation that has a pool, while this replica holds the term: its jobs leave home, or come back. */
export class BurstLooks {
  readonly #context: ControlPlaneContext;
  #leases: ReadonlyMap<OrgId, SeenLeases> = new Map();
  #cancel: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(context: ControlPlaneContext) {
    this.#context = context;
  }

  /** Begins; the term decides whether anything happens. */
  start(): void {
    if (this.#closed) return;
    this.#cancel = this.#context.clock.after(LOOK_MS, () => {
      this.#running = this.#lookAtAll().finally(() => this.start());
    });
  }

  /** Ends after the look that runs. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel?.();
    await this.#running;
  }

  async #lookAtAll(): Promise<void> {
    if (this.#context.term.current === undefined) return void (this.#leases = new Map());
    try {
      const pools = await this.#context.store.withSystem(
        'pools',
        (tx) => tx.selectFrom('pool').select('org').execute(),
        { readOnly: true },
      );
      const leases = new Map<OrgId, SeenLeases>();
      for (const { org } of pools) leases.set(org, await this.#look(org));
      this.#leases = leases;
    } catch (error) {
      this.#context.log.warn('pools.not_read', errorFields(error));
    }
  }

  /** One organisation that cannot be looked at keeps nobody else from it. */
  async #look(org: OrgId): Promise<SeenLeases> {
    const before = this.#leases.get(org) ?? new Map();
    try {
      const { seen, leases } = await this.#see(org, before);
      if (seen !== undefined) await this.#act(org, seen);
      return leases;
    } catch (error) {
      this.#context.log.warn('pool.not_looked_at', { org, ...errorFields(error) });
      return before;
    }
  }

  /** Outside of the organisation's turn; undefined when it would change nothing. */
  async #see(org: OrgId, before: SeenLeases): Promise<{ seen: Seen | undefined; leases: SeenLeases }> {
    const { store, asked, clock } = this.#context;
    return store.withOrg(
      org,
      async (tx) => {
        const pool = await openPool(tx, org);
        if (pool === undefined) return { seen: undefined, leases: new Map() };
        const moment = { now: clock.now(), monotonic: clock.monotonic() };
        const look = await lookAtQueue(tx, asked.of(org), {
          ...moment,
          org,
          terms: pool.terms,
          returning: returningOf(pool).map(({ job }) => job),
        });
        const { over, seen: leases } = await overAttempts(tx, pool, { seen: before, now: moment.monotonic });
        const after = stepAll(pool, eventsOf(pool, { look, over }, moment.now));
        const seen = over.length > 0 || changes(pool, after) ? { look, over } : undefined;
        return { seen, leases };
      },
      { readOnly: true },
    );
  }

  async #act(org: OrgId, seen: Seen): Promise<void> {
    await this.#context.changes.run(org, async (tx) => {
      await this.#context.term.assertHeld(tx);
      const pool = await openPool(tx, org);
      if (pool !== undefined) await act(this.#context, tx, pool, seen);
    });
  }
}

async function act(context: ControlPlaneContext, tx: Tx, pool: OpenPool, seen: Seen): Promise<void> {
  const now = context.clock.now();
  const { state, commands } = stepAll(pool, eventsOf(pool, seen, now));
  await carryOut(context, tx, pool, { commands, because: { state, queue: seen.look.queue, now } });
  await savePool(tx, pool, { after: state, now });
  await endAtHome(tx, seen.over, now);
  // No change of the inventory says that there is money again, or room for one more away from home.
  const roomier = state.ledger.period !== pool.state.ledger.period || state.away.length < pool.state.away.length;
  if (roomier) await context.changes.wake(tx, 'place', pool.org);
}

/**
 * What a look means to burst and return. No agent says when it wrote a checkpoint: one that is told to stop writes its last within the grace, so an
 * attempt that may be tried again counts as having one, as soon as home has room for it.
 */
function eventsOf(pool: OpenPool, { look, over }: Seen, now: BurstEventMoment): BurstEvent[] {
  const ended = over
    .filter(({ away }) => away)
    .map(({ job, attempt }) => ({ type: 'ended' as const, now, job, attempt }));
  const back = returningOf(pool)
    .filter(({ job }) => look.roomFor.has(job))
    .map(({ job, attempt }) => ({ type: 'checkpointed' as const, now, job, attempt }));
  return [...ended, { type: 'looked', now, pressure: look.pressure }, ...back];
}

/** Attempts on machines that are to be given back, which could go on at home. */
function returningOf({ state }: OpenPool): readonly AttemptAway[] {
  const cordoned = new Set(state.offers.filter(({ phase }) => phase === 'cordoned').map(({ offer }) => offer));
  return state.away.filter(({ offer, movable, moving }) => movable && !moving && cordoned.has(offer));
}

type BurstEventMoment = BurstEvent['now'];

function stepAll(
  { state, terms }: OpenPool,
  events: readonly BurstEvent[],
): { readonly state: BurstState; readonly commands: readonly BurstCommand[] } {
  let after = state;
  const commands: BurstCommand[] = [];
  for (const event of events) {
    const step = stepBurst(after, event, terms);
    if (!step.allow) throw new RangeError('only a placement can be refused');
    after = step.state;
    commands.push(...step.commands);
  }
  return { state: after, commands };
}

/** Looks in a row count as far as any threshold reaches: the same one again need not be written down. */
function changes(
  { state, terms }: OpenPool,
  { state: after, commands }: { readonly state: BurstState; readonly commands: readonly BurstCommand[] },
): boolean {
  const { row, ledger } = after;
  const counts = row.looks <= Math.max(terms.highLooks, terms.lowLooks);
  return commands.length > 0 || counts || row.pressure !== state.row.pressure || ledger.period !== state.ledger.period;
}
