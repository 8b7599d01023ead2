import { orgTable } from '@ringfence/store';
import { AUDIT_LOG_TABLES } from '@ringfence/store/audit-log';

/** The transparency log of each organisation's ledger; entries of ledgers from before become its first entries. The text never changes. */
export const MIGRATION_0017 = `${AUDIT_LOG_TABLES}
-- The sizes of the log that a party was shown last, newest first: it holds one of them.
create table audit_shown (
  org text not null references organisation,
  party text primary key references party,
  sizes bigint[] not null
);
${orgTable('audit_shown', { app: ['select', 'insert', 'update'] })}`;
