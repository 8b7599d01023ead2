import type { EpochMs, JobId, OfferId, OrgId } from '@ringfence/base';
import { epochMs } from '@ringfence/base';
import { WHOLE_GPU, type PlacementOffer, type Take } from '@ringfence/policy/placement';
import type { FreeResources } from '@ringfence/policy';
import { sql } from 'kysely';
import type { Tx } from '../store/open-store.ts';

/** A live attempt: what it holds, when it ends at the latest, and whether it may be told to stop for another job. */
export interface RunningAttempt {
  readonly job: JobId;
  readonly offer: OfferId;
  readonly take: Take;
  readonly endsBy: EpochMs;
  readonly priority: number;
  readonly stopping: boolean;
  readonly preemptible: boolean;
}

interface Row {
  readonly job: JobId;
  readonly offer: OfferId;
  readonly cpu_milli: number;
  readonly memory_bytes: number;
  readonly disk_bytes: number;
  readonly gpus: FreeResources['gpus'];
  readonly running_at: number | null;
  readonly longest: number;
  readonly priority: number;
  readonly stop_sent: boolean;
  readonly preemptible: boolean;
}

/**
 * All live attempts of an organisation. One that does not run yet ends its longest run from `now` on: for how long it prepares nobody knows. Only
 * a job that signed it, that stops when its lease does, and of which another attempt may follow is told to stop for another one.
 */
export async function runningAttempts(tx: Tx, org: OrgId, now: EpochMs): Promise<readonly RunningAttempt[]> {
  const { rows } = await sql<Row>`
    select job, offer, cpu_milli, memory_bytes, disk_bytes, gpus, running_at, priority, stop_sent,
      (placement->>'maxDurationMs')::bigint as longest,
      coalesce(
        (placement->>'preemptible')::boolean and placement->>'onPartition' = 'stop' and type <> 'serve'
          and placement->'retryOn' ? 'interruption' and attempts < max_attempts and not job.stopping,
        false
      ) as preemptible
    from attempt join job using (job) where attempt.org = ${org} and live
    order by job`.execute(tx);
  return rows.map((row) => ({
    job: row.job,
    offer: row.offer,
    take: {
      cpuMilli: row.cpu_milli,
      memoryBytes: row.memory_bytes,
      diskBytes: row.disk_bytes,
      ...countedCards(row.gpus),
    },
    endsBy: epochMs((row.running_at ?? now) + row.longest),
    priority: row.priority,
    stopping: row.stop_sent,
    preemptible: row.preemptible && !row.stop_sent,
  }));
}

/** Rows count cards; which they are is told by {@link withCards}. */
function countedCards([gpu]: FreeResources['gpus']): Pick<Take, 'gpus'> {
  if (gpu === undefined) return {};
  const { model, memoryBytes, count } = gpu;
  return { gpus: { model, memoryBytes, cards: Array.from({ length: count }, (_, card) => card), milli: WHOLE_GPU } };
}

/** The same takes with cards of their own, out of those that are not free: whole ones alike, so that it matters only that they differ. */
export function withCards<T extends { readonly take: Take }>(
  attempts: readonly T[],
  { gpus }: PlacementOffer['free'],
): readonly T[] {
  const busy = gpus.map(({ model, memoryBytes, cards }) => ({
    model,
    memoryBytes,
    cards: cards.flatMap((milli, card) => (milli === WHOLE_GPU ? [] : [card])),
  }));
  return attempts.map((attempt) => {
    const { gpus: taken, ...rest } = attempt.take;
    if (taken === undefined) return attempt;
    const kind = busy.find((one) => one.model === taken.model && one.memoryBytes === taken.memoryBytes);
    const cards = kind?.cards.splice(0, taken.cards.length) ?? [];
    return { ...attempt, take: { ...rest, gpus: { ...taken, cards } } };
  });
}
