import { errorFields, type AgentId, type JobId, type OrgId } from '@ringfence/base';
import type { RenewedLease } from '@ringfence/client/control-link';
import { sql, type CompiledQuery } from 'kysely';
import type { QueryBuilder } from '@ringfence/store';
import type { ControlPlaneTables } from '../store/tables.ts';
import { LEASE_GRACE_MS, LEASE_TTL_MS } from './clock-terms.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** Heartbeats of so long are answered together: an agent has 30 s of lease left when it asks. */
const TICK_MS = 50;
const MOST_TOGETHER = 500;
/** An agent whose rows a change holds is looked at again in the next ticks; after that its next heartbeat asks. */
const MOST_TRIES = 60;

/** An agent's heartbeat: over which connection it came. */
interface Beat {
  readonly org: OrgId;
  readonly agent: AgentId;
  readonly connection: number;
}

interface WaitingBeat extends Beat {
  readonly answer: (leases: readonly RenewedLease[] | undefined) => void;
  tries: number;
}

/** One live attempt of an agent, or none with nulls; `live` counts all of them, those too that somebody holds. */
interface RenewedRow {
  readonly agent: AgentId;
  readonly job: JobId | null;
  readonly attempt: number | null;
  readonly live: number;
}

/**
 * Lengthens the leases of agents' live attempts: all heartbeats of a tick in one transaction over all organisations, since each is one row
 * or two. It waits for nobody's locks, so it cannot stand in a change's way nor lock crosswise with one.
 */
export class LeaseRenewals {
  readonly #context: Pick<ControlPlaneContext, 'store' | 'clock' | 'log' | 'replica'>;
  readonly #waiting = new Map<AgentId, WaitingBeat>();
  #armed = false;
  #closed = false;
  #cancelTick = (): void => {};

  constructor(context: Pick<ControlPlaneContext, 'store' | 'clock' | 'log' | 'replica'>) {
    this.#context = context;
  }

  /**
   * The leases that go on. They are committed before this resolves, so what the control plane waits for is never shorter than what the agent
   * believes. Undefined when they could not be renewed, or the connection is not the agent's newest: then nothing is said.
   */
  renew(beat: Beat): Promise<readonly RenewedLease[] | undefined> {
    return new Promise((resolve) => this.#wait({ ...beat, answer: resolve, tries: 0 }));
  }

  /** Answers nobody any more, and leaves no timer. */
  close(): void {
    this.#closed = true;
    this.#cancelTick();
    for (const { answer } of this.#waiting.values()) answer(undefined);
    this.#waiting.clear();
  }

  #wait(beat: WaitingBeat): void {
    if (this.#closed) return beat.answer(undefined);
    this.#waiting.get(beat.agent)?.answer(undefined);
    this.#waiting.set(beat.agent, beat);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#cancelTick = this.#context.clock.after(TICK_MS, () => {
      void this.#renewAll().finally(() => {
        this.#armed = false;
        if (this.#waiting.size > 0) this.#arm();
      });
    });
  }

  async #renewAll(): Promise<void> {
    const beats = [...this.#waiting.values()].slice(0, MOST_TOGETHER);
    for (const { agent } of beats) this.#waiting.delete(agent);
    try {
      const { store, clock, replica } = this.#context;
      const rows = await store.querySystem('renew-leases', (db) => renewal(db, { beats, replica, now: clock.now() }));
      const byAgent = Map.groupBy(rows, ({ agent }) => agent);
      for (const beat of beats) this.#answer(beat, byAgent.get(beat.agent));
    } catch (error) {
      // Without a database nothing is renewed, and the agents' next heartbeats ask again.
      this.#context.log.warn('leases.not_renewed', errorFields(error));
      for (const { answer } of beats) answer(undefined);
    }
  }

  #answer(beat: WaitingBeat, rows: readonly RenewedRow[] | undefined): void {
    const leases = (rows ?? []).flatMap(({ job, attempt }) =>
      job === null || attempt === null ? [] : [{ job, attempt, ttlMs: LEASE_TTL_MS }],
    );
    if (rows !== undefined && leases.length === rows[0]?.live) return beat.answer(leases);
    beat.tries += 1;
    const again = beat.tries < MOST_TRIES && !this.#closed && !this.#waiting.has(beat.agent);
    if (again) this.#waiting.set(beat.agent, beat);
    else beat.answer(undefined);
  }
}

function renewal(
  db: QueryBuilder<ControlPlaneTables>,
  { beats, replica, now }: { beats: readonly Beat[]; replica: string; now: number },
): CompiledQuery<RenewedRow> {
  const agents = beats.map(({ agent }) => agent);
  const orgs = beats.map(({ org }) => org);
  const connections = beats.map(({ connection }) => connection);
  const until = now + LEASE_TTL_MS + LEASE_GRACE_MS;
  return sql<RenewedRow>`
    with beat as (
      select * from unnest(${agents}::text[], ${orgs}::text[], ${connections}::bigint[]) as beat (id, org, connection)
    ), here as (
      select party.id, party.org from party join beat using (id, org, connection)
      where party.replica = ${replica} and party.locked is null and not party.removed
      for no key update of party skip locked
    ), seen as (
      update party set seen_at = ${now} from here where party.id = here.id
    ), held as (
      select attempt.agent, attempt.job, attempt.attempt from attempt join here on attempt.agent = here.id and attempt.org = here.org
      where attempt.live and attempt.state <> 'expired' and (attempt.covered_until is null or attempt.covered_until >= ${until})
      for no key update of attempt skip locked
    ), renewed as (
      update attempt set lease_until = ${until}, renewals = attempt.renewals + 1 from held
      where attempt.job = held.job and attempt.attempt = held.attempt
    )
    select here.id as agent, held.job, held.attempt, (
      select count(*) from attempt where attempt.agent = here.id and attempt.live and attempt.state <> 'expired'
        and (attempt.covered_until is null or attempt.covered_until >= ${until})
    )::integer as live
    from here left join held on held.agent = here.id`.compile(db);
}
