import { orgTable } from '@ringfence/store';

/** Secrets, checkpoints, sealed logs and notices of jobs; the text never changes. */
export const MIGRATION_0004 = `
-- The value is sealed under a data key of its own, which rests wrapped by a key-encryption key.
create table secret (
  org text not null references organisation,
  name_index text not null,
  name_box bytea not null,
  version bigint not null,
  value_box bytea not null,
  kek text not null,
  kek_version bigint not null,
  key_box text not null,
  device text not null,
  set_at bigint not null,
  primary key (org, name_index)
);

-- The newest complete checkpoint of a job that is not over.
create table checkpoint (
  job text primary key references job,
  org text not null references organisation,
  attempt bigint not null,
  manifest text not null,
  kek text not null,
  kek_version bigint not null,
  key_box text not null,
  files bigint not null,
  bytes bigint not null,
  at bigint not null
);

-- Logs that were sealed to the custodian at the end of their attempts.
create table attempt_log (
  job text not null,
  attempt bigint not null,
  org text not null references organisation,
  manifest text not null,
  kek text not null,
  kek_version bigint not null,
  key_box text not null,
  bytes bigint not null,
  at bigint not null,
  primary key (job, attempt),
  foreign key (job, attempt) references attempt
);

-- What webhooks are still to be told.
create table notice (
  id text primary key,
  org text not null references organisation,
  job text not null references job,
  webhook bigint not null,
  outcome text not null,
  at bigint not null,
  tries bigint not null default 0,
  next_at bigint not null
);

alter table job add column missing_box bytea;
${[
  orgTable('secret', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('checkpoint', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('attempt_log', { app: ['select', 'insert', 'delete'] }),
  orgTable('notice', { app: ['select', 'insert', 'update', 'delete'] }),
].join('\n')}
`;
