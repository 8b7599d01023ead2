import { sql, type RawBuilder } from 'kysely';
import { AGING_MS, HIGHEST_PRIORITY } from '@ringfence/policy/queue';

/** `agedPriority` in SQL, over the columns `priority` and `submitted_at`; a test holds them against each other. */
export function agedPriorityAt(now: number): RawBuilder<number> {
  return sql<number>`least(${HIGHEST_PRIORITY}::bigint, priority + greatest(0, ${now}::bigint - submitted_at) / ${AGING_MS}::bigint)`;
}
