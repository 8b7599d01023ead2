import { orgTable } from '../database/org-table.ts';

/**
 * SQL for a migration: the transparency logs of a service whose ledgers are the tables `organisation` and `event`. Entries and full tiles
 * are written once; only heads move. The text is part of recorded checksums: it never changes.
 */
export const AUDIT_LOG_TABLES = `
-- What of an event's entry is sealed under keys of persons, and the entry id that it is sealed for.
alter table event add column audit jsonb;

-- The head of each organisation's log, and who may move it.
create table audit_log (
  org text primary key references organisation,
  epoch bigint not null,
  term bigint not null,
  size bigint not null default 0 check (size >= 0),
  root bytea not null default sha256('')
);

create table audit_entry (
  org text not null references organisation,
  seq bigint not null,
  bytes bytea not null,
  primary key (org, seq)
);

-- Full tiles of hashes; the hashes of partial ones follow from entries and from the roots of the level below.
create table audit_tile (
  org text not null references organisation,
  level integer not null,
  tile bigint not null,
  bytes bytea not null check (length(bytes) = 8192),
  root bytea not null check (length(root) = 32),
  primary key (org, level, tile)
);


-- Which handle stands for which person, and the key of all that entries say of them. Erasing a person deletes the row.
create table audit_subject (
  org text not null references organisation,
  subject text not null,
  handle text not null unique,
  key_box bytea not null,
  primary key (org, subject)
);
${[
  orgTable('audit_log', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('audit_entry', { app: ['select', 'insert'] }),
  orgTable('audit_tile', { app: ['select', 'insert'] }),
  orgTable('audit_subject', { app: ['select', 'insert', 'delete'] }),
].join('\n')}
`;
