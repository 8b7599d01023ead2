import { orgTable } from '@ringfence/store';
import { AUDIT_LOG_TABLES } from '@ringfence/store/audit-log';

/** The transparency log of the ledger, what this custodian witnessed of the control plane's, and what witnesses found. The text never changes. */
export const MIGRATION_0017 = `${AUDIT_LOG_TABLES}
-- The largest checkpoint of another log that was found consistent with all before it; stored before it is cosigned.
create table audit_held (
  org text not null references organisation,
  origin text not null,
  key text not null,
  size bigint not null,
  note text not null,
  primary key (org, origin)
);

-- The newest checkpoint of each log that each witness cosigned, with its line.
create table audit_witness (
  org text not null references organisation,
  witness text not null,
  origin text not null,
  key text not null,
  size bigint not null,
  note text not null,
  primary key (org, witness, origin)
);

-- What witnesses have against a log: kept until officers have decided what it means, and after.
create table audit_accusation (
  org text not null references organisation,
  witness text not null,
  digest text not null,
  accusation jsonb not null,
  at bigint not null,
  primary key (org, witness, digest)
);
${[
  orgTable('audit_held', { app: ['select', 'insert', 'update'] }),
  orgTable('audit_witness', { app: ['select', 'insert', 'update'] }),
  orgTable('audit_accusation', { app: ['select', 'insert'] }),
].join('\n')}
`;
