import type { AgentId, Clock, JobId, MonotonicMs } from '@ringfence/base';
import { followUp } from '@ringfence/policy';
import type { Outcome } from '@ringfence/protocol/statements';
import { LEASE_TTL_MS } from '../../apps/control-plane/src/jobs/clock-terms.ts';
import { LeaseEnds, endsBy } from '../../apps/custodian/src/jobs/attempt-end.ts';
import type { Shape } from './shapes.ts';
import { CONTROL_PLANE, CUSTODIAN, type CustodianParty, type World } from './world.ts';

interface GrantRow {
  readonly attempt: number;
  readonly agent: AgentId;
  readonly granted_at: number;
  readonly ends_by: number | null;
  stopped: Outcome | null;
}

interface JobRecord {
  readonly shape: Shape;
  readonly grants: GrantRow[];
  committed: number | undefined;
  closed: boolean;
}

/** Grants and commits as the custodian's rows have them, with its own watch over leases; what stands in its database outlives it. */
export class Custodian implements CustodianParty {
  readonly #world: World;
  readonly #jobs: Map<JobId, JobRecord>;
  readonly #ends: LeaseEnds;
  /** Work in checkpoints, in milliseconds. */
  readonly progress: Map<JobId, number>;

  constructor(world: World, before?: CustodianParty) {
    this.#world = world;
    this.#jobs = before instanceof Custodian ? before.#jobs : new Map();
    this.progress = before instanceof Custodian ? before.progress : new Map();
    const monotonic = (): MonotonicMs => world.timeline.now as MonotonicMs;
    this.#ends = new LeaseEnds({ monotonic } satisfies Pick<Clock, 'monotonic'>);
  }

  submit(job: JobId, shape: Shape): void {
    this.#jobs.set(job, { shape, grants: [], committed: undefined, closed: false });
  }

  /** Whether an agent may start an attempt: never beside one that may run, never after a commit, never an older one. */
  grant(job: JobId, attempt: number, agent: AgentId): boolean {
    const record = this.#jobs.get(job);
    if (record === undefined || record.closed || record.committed !== undefined) return false;
    const last = record.grants.at(-1);
    if (last !== undefined && attempt < last.attempt) return false;
    if (last?.attempt === attempt) return last.agent === agent && last.stopped === null && this.#again(job, last);
    const earlier = record.grants.some((row) => this.#mayRun(job, row));
    if (earlier && this.#world.breakage !== 'second-attempt') return false;
    if (last !== undefined && !followUp(last.stopped ?? 'interrupted', record.shape.placement).allow) return false;
    const grantedAt = this.#world.timeline.now;
    const ends_by = endsBy(record.shape.placement, { grantedAt, ttlMs: LEASE_TTL_MS });
    const row: GrantRow = { attempt, agent, granted_at: grantedAt, ends_by, stopped: null };
    record.grants.push(row);
    this.#ends.runs({ ...row, job });
    return true;
  }

  stopped(job: JobId, attempt: number, outcome: Outcome): void {
    const row = this.#jobs.get(job)?.grants.find((grant) => grant.attempt === attempt);
    if (row?.stopped === null) row.stopped = outcome;
  }

  /** At most one attempt of a job is committed, and only the newest that was granted. */
  commit(job: JobId, attempt: number): boolean {
    const record = this.#jobs.get(job);
    if (record === undefined) return false;
    if (record.committed !== undefined) return record.committed === attempt;
    if (record.closed || record.grants.at(-1)?.attempt !== attempt) return false;
    record.committed = attempt;
    this.#world.watch.committed(job);
    this.#world.network.sure(CUSTODIAN, CONTROL_PLANE, () => this.#world.controlPlane.committed(job, attempt));
    return true;
  }

  close(job: JobId): void {
    const record = this.#jobs.get(job);
    if (record !== undefined) record.closed = true;
  }

  checkpoint(job: JobId, workMs: number): void {
    this.progress.set(job, Math.max(workMs, this.progress.get(job) ?? 0));
  }

  #again(job: JobId, row: GrantRow): boolean {
    this.#ends.runs({ ...row, job });
    return true;
  }

  #mayRun(job: JobId, row: GrantRow): boolean {
    return this.#ends.mayRun({ ...row, job });
  }
}
