import { orgTable } from '@ringfence/store';

/** Parked jobs, wishes of custodians, and what attempts that follow wait for. */
export const MIGRATION_0002 = `
alter table organisation add column inventory bigint not null default 0;

alter table job drop constraint job_state_check;
alter table job add constraint job_state_check check (state in (
  'submitted', 'parked', 'queued', 'leased', 'starting', 'running', 'succeeded', 'failed', 'cancelled', 'lost'
));
-- The custodian's newest word on a serve job; for other types it means nothing.
alter table job add column wanted boolean not null default false;
-- What the next attempt waits for: a time, and for no-capacity a change of the inventory that comes before it.
alter table job add column not_before bigint;
alter table job add column retry_reason text check (retry_reason in ('no-capacity', 'interruption', 'error'));
alter table job add column retry_counts jsonb not null default '{}';
alter table job add column inventory_seen bigint;
create index job_backing_off on job (not_before) where state = 'queued' and not_before is not null;

alter table attempt add column running_at bigint;
alter table attempt add column stop_sent boolean not null default false;

alter table party add column draining boolean not null default false;

-- A custodian's word on a job that nobody has submitted yet.
create table early_wish (
  org text not null references organisation,
  job text not null,
  wanted boolean not null,
  final boolean not null,
  at bigint not null,
  primary key (org, job)
);

-- The same table as in jobs/job-transitions.ts; a test holds them against each other.
create or replace function job_may_change(before text, after text) returns boolean immutable language sql as $$
  select (before, after) in (
    ('submitted', 'queued'), ('submitted', 'parked'), ('submitted', 'cancelled'), ('submitted', 'failed'),
    ('parked', 'queued'), ('parked', 'cancelled'), ('parked', 'failed'), ('parked', 'succeeded'),
    ('queued', 'leased'), ('queued', 'parked'), ('queued', 'cancelled'), ('queued', 'failed'), ('queued', 'succeeded'),
    ('leased', 'starting'), ('leased', 'running'), ('leased', 'queued'), ('leased', 'parked'), ('leased', 'lost'),
    ('leased', 'failed'), ('leased', 'cancelled'), ('leased', 'succeeded'),
    ('starting', 'running'), ('starting', 'queued'), ('starting', 'parked'), ('starting', 'lost'),
    ('starting', 'failed'), ('starting', 'cancelled'), ('starting', 'succeeded'),
    ('running', 'succeeded'), ('running', 'failed'), ('running', 'queued'), ('running', 'parked'), ('running', 'lost'),
    ('running', 'cancelled'),
    ('lost', 'queued'), ('lost', 'parked'), ('lost', 'failed'), ('lost', 'cancelled'), ('lost', 'succeeded')
  )
$$;

-- A parked job holds nothing and nobody wants it; asked at the end of a transaction, when all of a change is written.
create function refuse_held_parked() returns trigger language plpgsql as $$
begin
  if exists (
    select from job where job.job = new.job and job.state = 'parked'
      and (job.wanted or exists (select from attempt where attempt.job = new.job and attempt.live))
  ) then
    raise exception 'a parked job is wanted or holds an attempt' using errcode = 'check_violation';
  end if;
  return null;
end
$$;
create constraint trigger job_parked after insert or update of state, wanted on job deferrable initially deferred
  for each row when (new.state = 'parked') execute function refuse_held_parked();
${orgTable('early_wish', { app: ['select', 'insert', 'update', 'delete'] })}
`;
