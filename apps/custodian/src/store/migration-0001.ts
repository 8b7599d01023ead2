import { orgTable } from '@ringfence/store';

/** First schema of the custodian. Names and what they describe lie in `*_box` columns, sealed by the record key; the text never changes. */
export const MIGRATION_0001 = `
-- The one organisation of this custodian, the head of its ledger and of its outbox.
create table organisation (
  org text primary key,
  project text not null,
  state text not null check (state in ('registering', 'claimed')),
  claim_digest text not null,
  registration_box bytea,
  control_plane jsonb not null,
  passphrase_sealed boolean not null,
  epoch bigint not null default 1,
  keyring_seq bigint not null,
  head jsonb not null,
  head_at bigint not null,
  last_backup_at bigint,
  outbox_seq bigint not null default 0,
  event_seq bigint not null default 0,
  event_hash text not null default repeat('0', 64)
);

create table keyring_statement (
  org text not null references organisation on delete cascade,
  seq bigint not null,
  envelope jsonb not null,
  primary key (org, seq)
);

create table join_code (
  id text primary key,
  org text not null references organisation,
  tier text not null,
  code_box bytea not null,
  made_at bigint not null,
  expires_at bigint not null,
  spent_at bigint,
  spent_digest text,
  agent text
);

create table site (
  site text primary key,
  org text not null references organisation,
  name_index text not null,
  name_box bytea not null,
  unique (org, name_index)
);

create table agent (
  agent text primary key,
  org text not null references organisation,
  site text not null references site,
  place_box bytea not null,
  joined_at bigint not null,
  removed boolean not null default false,
  locked text check (locked in ('fork', 'removed', 'incident')),
  journal_seq bigint,
  journal_hash text
);

create table object (
  digest text not null,
  org text not null references organisation,
  size bigint not null,
  stored_at bigint not null,
  primary key (org, digest)
);

-- Data keys lie apart from the objects that they open, wrapped by a key-encryption key.
create table chunk (
  id text not null,
  org text not null references organisation,
  digest text not null,
  size bigint not null,
  kek text not null,
  kek_version bigint not null,
  key_box text not null,
  primary key (org, id)
);

create table artifact (
  artifact text primary key,
  org text not null references organisation,
  kind text not null check (kind in ('dataset', 'output')),
  name_index text not null,
  name_box bytea not null,
  next_version bigint not null default 1,
  unique (org, name_index)
);

create table artifact_version (
  artifact text not null references artifact,
  version bigint not null,
  org text not null references organisation,
  manifest text not null,
  kek text not null,
  kek_version bigint not null,
  key_box text not null,
  details_box bytea not null,
  job text,
  at bigint not null,
  primary key (artifact, version)
);

create table job (
  job text primary key,
  org text not null references organisation,
  device text not null,
  name_box bytea not null,
  at bigint not null,
  job_digest text not null,
  job_envelope jsonb not null,
  label_envelope jsonb not null,
  placement jsonb not null,
  workload bytea not null,
  attempt bigint not null default 0,
  agent text,
  closed text check (closed in ('failed', 'cancelled')),
  commit_record jsonb
);
create index job_by_time on job (org, at desc);

create table job_output (
  job text not null references job,
  position bigint not null,
  org text not null references organisation,
  artifact text not null references artifact,
  version bigint not null,
  primary key (job, position)
);

create table attempt (
  job text not null references job,
  attempt bigint not null,
  org text not null references organisation,
  agent text not null,
  epoch bigint not null,
  lease_digest text not null,
  grant_envelope jsonb not null,
  payload bytea not null,
  mounts jsonb not null,
  granted_at bigint not null,
  ends_by bigint,
  stopped jsonb,
  primary key (job, attempt)
);

create table outbox (
  org text not null references organisation,
  id bigint not null,
  message jsonb not null,
  primary key (org, id)
);

create table event (
  org text not null references organisation,
  seq bigint not null,
  at bigint not null,
  type text not null,
  body bytea not null,
  hash text not null,
  primary key (org, seq)
);
${[
  orgTable('organisation', { app: ['select', 'insert', 'update', 'delete'], system: ['select'] }),
  orgTable('keyring_statement', { app: ['select', 'insert', 'delete'] }),
  orgTable('join_code', { app: ['select', 'insert', 'update'] }),
  orgTable('site', { app: ['select', 'insert'] }),
  orgTable('agent', { app: ['select', 'insert', 'update'] }),
  orgTable('object', { app: ['select', 'insert'] }),
  orgTable('chunk', { app: ['select', 'insert'] }),
  orgTable('artifact', { app: ['select', 'insert', 'update'] }),
  orgTable('artifact_version', { app: ['select', 'insert', 'update'] }),
  orgTable('job', { app: ['select', 'insert', 'update'] }),
  orgTable('job_output', { app: ['select', 'insert'] }),
  orgTable('attempt', { app: ['select', 'insert', 'update'] }),
  orgTable('outbox', { app: ['select', 'insert', 'delete'] }),
  orgTable('event', { app: ['select', 'insert', 'delete'] }),
].join('\n')}
`;
