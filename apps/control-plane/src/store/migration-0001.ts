import { orgTable } from '@ringfence/store';

/** Organisations, members, links, offers, jobs, attempts, the outbox and the ledger. */
export const MIGRATION_0001 = `
create table placer_term (
  only_row boolean primary key default true check (only_row),
  term bigint not null,
  holder text not null,
  until bigint not null
);

create table registration_code (
  id text primary key,
  secret_box bytea not null,
  made_at bigint not null,
  expires_at bigint not null,
  spent_at bigint
);

create table organisation (
  org text primary key,
  custodian text not null unique,
  enrolment_key text not null,
  registered_at bigint not null,
  event_seq bigint not null default 0,
  event_hash text not null default repeat('0', 64)
);

-- One row per identity whose frames or requests the organisation vouches for; a custodian is one of them.
create table party (
  id text primary key,
  org text not null references organisation,
  role text not null check (role in ('device', 'agent', 'custodian')),
  sign_key text not null,
  keyring_seq bigint not null,
  removed boolean not null default false,
  locked text check (locked in ('fork', 'removed', 'incident')),
  journal_seq bigint,
  journal_hash text,
  received_mid bigint not null default 0,
  next_mid bigint not null default 1,
  connection bigint not null default 0,
  replica text,
  seen_at bigint
);
create index party_by_org on party (org, role);

create table offer (
  offer text primary key,
  org text not null references organisation,
  agent text not null unique references party,
  epoch bigint not null,
  row_version bigint not null default 1,
  body jsonb not null,
  free_cpu_milli bigint not null check (free_cpu_milli >= 0),
  free_memory_bytes bigint not null check (free_memory_bytes >= 0),
  free_disk_bytes bigint not null check (free_disk_bytes >= 0),
  free_gpus jsonb not null
);
create index offer_by_org on offer (org);

create table job (
  job text primary key,
  org text not null references organisation,
  device text not null references party,
  type text not null,
  state text not null check (state in ('submitted', 'queued', 'leased', 'starting', 'running', 'succeeded', 'failed', 'cancelled', 'lost')),
  sensitivity text not null,
  job_digest text not null,
  job_envelope jsonb not null,
  label_envelope jsonb not null,
  placement jsonb not null,
  priority integer not null,
  attempts integer not null default 0,
  max_attempts integer not null,
  stopping boolean not null default false,
  waiting_for jsonb not null default '[]',
  submitted_at bigint not null,
  changed_at bigint not null,
  expires_at bigint not null,
  check (attempts <= max_attempts)
);
create index job_waiting on job (priority desc, submitted_at) where state = 'queued';
create index job_by_org on job (org, submitted_at desc);

-- The same table as in jobs/job-transitions.ts; a test holds them against each other.
create function job_may_change(before text, after text) returns boolean immutable language sql as $$
  select (before, after) in (
    ('submitted', 'queued'), ('submitted', 'cancelled'), ('submitted', 'failed'),
    ('queued', 'leased'), ('queued', 'cancelled'), ('queued', 'failed'), ('queued', 'succeeded'),
    ('leased', 'starting'), ('leased', 'running'), ('leased', 'queued'), ('leased', 'lost'), ('leased', 'failed'),
    ('leased', 'cancelled'), ('leased', 'succeeded'),
    ('starting', 'running'), ('starting', 'queued'), ('starting', 'lost'), ('starting', 'failed'),
    ('starting', 'cancelled'), ('starting', 'succeeded'),
    ('running', 'succeeded'), ('running', 'failed'), ('running', 'queued'), ('running', 'lost'), ('running', 'cancelled'),
    ('lost', 'queued'), ('lost', 'failed'), ('lost', 'cancelled'), ('lost', 'succeeded')
  )
$$;
create function refuse_job_change() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' and new.state = 'submitted' then return new; end if;
  if tg_op = 'UPDATE' and (new.state = old.state or job_may_change(old.state, new.state)) then return new; end if;
  raise exception 'no transition leads to job state %', new.state using errcode = 'check_violation';
end
$$;
create trigger job_transition before insert or update of state on job for each row execute function refuse_job_change();

create table attempt (
  job text not null references job,
  attempt integer not null,
  org text not null references organisation,
  agent text not null references party,
  offer text not null,
  state text not null check (state in ('leased', 'accepted', 'starting', 'running', 'stopped', 'refused', 'expired')),
  outcome text,
  live boolean not null,
  cpu_milli bigint not null,
  memory_bytes bigint not null,
  disk_bytes bigint not null,
  gpus jsonb not null,
  receipt jsonb not null,
  lease jsonb not null,
  term bigint not null,
  lease_until bigint not null,
  primary key (job, attempt)
);
create unique index attempt_one_live on attempt (job) where live;
create index attempt_by_agent on attempt (agent) where live;

create table outbox (
  party text not null references party,
  mid bigint not null,
  org text not null references organisation,
  message jsonb not null,
  primary key (party, mid)
);

create table event (
  org text not null references organisation,
  seq bigint not null,
  at bigint not null,
  type text not null,
  job text,
  body bytea not null,
  hash text not null,
  primary key (org, seq)
);
create index event_by_job on event (job, seq) where job is not null;

create table spent_nonce (
  device text not null,
  nonce text not null,
  org text not null,
  expires_at bigint not null,
  primary key (device, nonce)
);

grant select, insert, update on placer_term, registration_code to rf_system;
-- A share lock on a replica's own term needs the right to update.
grant select, update on placer_term to rf_app;
${[
  orgTable('organisation', { app: ['select', 'update'], system: ['select', 'insert', 'update'] }),
  orgTable('party', { app: ['select', 'insert', 'update'], system: ['select', 'insert', 'update'] }),
  orgTable('offer', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('job', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('attempt', { app: ['select', 'insert', 'update'], system: ['select', 'update'] }),
  orgTable('outbox', { app: ['select', 'insert', 'delete'], system: ['select', 'delete'] }),
  orgTable('event', { app: ['select', 'insert'] }),
  orgTable('spent_nonce', { app: ['select', 'insert'], system: ['select', 'delete'] }),
].join('\n')}
`;
