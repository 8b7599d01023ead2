import { epochMs, type JobId, type OrgId } from '@ringfence/base';
import type { agentList, jobEvents, jobList, JobView } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneStore, Tx } from '../store/open-store.ts';
import type { AttemptTable, JobTable } from '../store/tables.ts';
import type { Selectable } from 'kysely';
import { isOnline } from './clock-terms.ts';

type RetryRow = Pick<Selectable<JobTable>, 'state' | 'not_before' | 'retry_reason'>;
type EndRow = Pick<Selectable<AttemptTable>, 'refusal' | 'stop_cause'>;

const MOST_JOBS = 500;
const MOST_EVENTS = 1_000;

/** The same answer for a job of somebody else as for one that never was. */
export function noSuchJob(): ControlPlaneError {
  return new ControlPlaneError('not-found', 'there is no such job', { next: 'see `ringfence ps`' });
}

/** One job with its attempts; `not-found` for a job of somebody else as for one that never was. */
export async function viewJob(store: ControlPlaneStore, org: OrgId, id: JobId): Promise<JobView> {
  return store.withOrg(org, (tx) => viewJobIn(tx, id), { readOnly: true });
}

/** The same within a transaction; what it asks leaves at once, after what was asked before. */
export async function viewJobIn(tx: Tx, id: JobId): Promise<JobView> {
  const [row, attempts] = await Promise.all([
    tx.selectFrom('job').selectAll().where('job', '=', id).executeTakeFirst(),
    tx.selectFrom('attempt').selectAll().where('job', '=', id).orderBy('attempt').execute(),
  ]);
  if (row === undefined) throw noSuchJob();
  return {
    job: row.job,
    type: row.type as JobView['type'],
    state: row.state,
    sensitivity: row.sensitivity,
    device: row.device,
    submittedAt: epochMs(row.submitted_at),
    changedAt: epochMs(row.changed_at),
    waitingFor: [...row.waiting_for],
    retry: retryOf(row),
    attempts: attempts.map(({ attempt, agent, state, outcome, lease_until, receipt, lease, ...end }) => ({
      attempt,
      agent,
      state,
      outcome,
      ...endOf(end),
      leaseUntil: epochMs(lease_until),
      receipt,
      lease,
    })),
  };
}

function retryOf({ state, not_before: at, retry_reason: reason }: RetryRow): JobView['retry'] {
  return state !== 'queued' || at === null || reason === null ? null : { at: epochMs(at), reason };
}

/** Why an attempt came to nothing, or was ended; absent where there is nothing to say. */
function endOf({ refusal, stop_cause: stopCause }: EndRow): Pick<JobView['attempts'][number], 'refusal' | 'stopCause'> {
  return { ...(refusal === null ? {} : { refusal }), ...(stopCause === null ? {} : { stopCause }) };
}

/** The organisation's newest jobs. */
export async function listJobs(store: ControlPlaneStore, org: OrgId): Promise<z.input<typeof jobList>> {
  const rows = await store.queryOrg(
    org,
    (db) =>
      db
        .selectFrom('job')
        .leftJoin('attempt', (join) =>
          join.onRef('attempt.job', '=', 'job.job').onRef('attempt.attempt', '=', 'job.attempts'),
        )
        .select(['job.job', 'type', 'job.state', 'sensitivity', 'device', 'submitted_at', 'changed_at'])
        .select(['refusal', 'stop_cause'])
        .orderBy('submitted_at', 'desc')
        .limit(MOST_JOBS)
        .compile(),
    { readOnly: true },
  );
  return {
    jobs: rows.map(({ job, type, state, sensitivity, device, submitted_at, changed_at, ...end }) => ({
      job,
      type: type as JobView['type'],
      state,
      sensitivity,
      device,
      submittedAt: epochMs(submitted_at),
      changedAt: epochMs(changed_at),
      ...endOf(end),
    })),
  };
}

/** The ledger's entries about one job. */
export async function listEvents(store: ControlPlaneStore, org: OrgId, job: JobId): Promise<z.input<typeof jobEvents>> {
  const rows = await store.queryOrg(
    org,
    (db) =>
      db
        .selectFrom('event')
        .select(['seq', 'type', 'at', 'hash'])
        .where('job', '=', job)
        .orderBy('seq')
        .limit(MOST_EVENTS)
        .compile(),
    { readOnly: true },
  );
  // Every job has events from its submission on.
  if (rows.length === 0) throw noSuchJob();
  return { events: rows.map(({ seq, type, at, hash }) => ({ seq, type, at: epochMs(at), hash })) };
}

/** The organisation's agents: those that sent an offer with it, the others bare. */
export async function listAgents(
  store: ControlPlaneStore,
  org: OrgId,
  now: number,
): Promise<z.input<typeof agentList>> {
  const rows = await store.queryOrg(
    org,
    (db) =>
      db
        .selectFrom('offer')
        .innerJoin('party', 'party.id', 'offer.agent')
        .select(['offer.agent', 'offer.body', 'free_cpu_milli', 'free_memory_bytes', 'seen_at', 'locked', 'draining'])
        .where('removed', '=', false)
        .orderBy('offer.agent')
        .compile(),
    { readOnly: true },
  );
  return {
    agents: rows.map(({ agent, body, free_cpu_milli, free_memory_bytes, seen_at, locked, draining }) => ({
      agent,
      online: isOnline(seen_at, now),
      locked: locked !== null,
      draining,
      tier: body.tier,
      isolations: body.isolations,
      hardLimits: body.hardLimits,
      cpuMilli: body.cpuMilli,
      memoryBytes: body.memoryBytes,
      freeCpuMilli: free_cpu_milli,
      freeMemoryBytes: free_memory_bytes,
      seenAt: seen_at === null ? null : epochMs(seen_at),
    })),
  };
}
