import type { SealedSubject } from '@ringfence/ledger/tlog';
import type { ColumnType } from 'kysely';

/** What of an event's entry is sealed under keys of persons, as the events' table keeps it. */
export type AuditColumn = ColumnType<
  { readonly id: string; readonly subjects: readonly SealedSubject[] } | null,
  string | null | undefined,
  never
>;
