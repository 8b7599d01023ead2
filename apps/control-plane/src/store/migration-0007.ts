import { orgTable } from '@ringfence/store';

/** Pools: when jobs leave home, what that has cost, which machines are given back, and why. The text never changes. */
export const MIGRATION_0007 = `
create table pool (
  org text primary key references organisation,
  seq bigint not null,
  statement jsonb not null,
  digest text not null,
  gate text not null default 'closed' check (gate in ('closed', 'open')),
  changed_at bigint,
  pressure text not null default 'low' check (pressure in ('high', 'between', 'low')),
  looks bigint not null default 0,
  period bigint not null default 0,
  spent bigint not null default 0 check (spent >= 0),
  spent_ever bigint not null default 0,
  decisions bigint not null default 0
);

-- One row for each attempt that was placed while there was a pool; those away from home hold what they may cost until they are known to be over.
create table pool_attempt (
  job text not null,
  attempt integer not null,
  org text not null references organisation,
  offer text not null,
  agent text not null,
  away boolean not null,
  since bigint not null,
  hour bigint,
  market_hour bigint,
  period bigint,
  covered_until bigint,
  reserved bigint check (reserved >= 0),
  movable boolean not null,
  moving boolean not null default false,
  ended_at bigint,
  cost bigint check (cost <= reserved),
  given_back boolean not null default false,
  primary key (job, attempt),
  foreign key (job, attempt) references attempt (job, attempt) deferrable initially deferred,
  check (not away or (hour is not null and period is not null and covered_until is not null and reserved is not null))
);
create index pool_attempt_open on pool_attempt (org) where ended_at is null;
create index pool_attempt_away on pool_attempt (org, offer) where away and not given_back;
create index pool_attempt_ended on pool_attempt (org, ended_at);

create table away_offer (
  offer text primary key,
  org text not null references organisation,
  agent text not null,
  phase text not null check (phase in ('used', 'cordoned', 'emptied')),
  emptied_at bigint,
  deletion_signed boolean not null default false,
  keys_shredded boolean not null default false
);
create index away_offer_by_org on away_offer (org);

create table deletion_order (
  request text primary key,
  org text not null references organisation,
  offer text not null,
  agent text not null,
  attempts jsonb not null,
  asked_at bigint not null,
  open boolean not null default true,
  deletion jsonb,
  deletion_digest text,
  shredded boolean not null default false
);
create index deletion_order_by_offer on deletion_order (org, offer) where open;

create table burst_decision (
  org text not null references organisation,
  seq bigint not null,
  statement jsonb not null,
  primary key (org, seq)
);

alter table offer add column cordoned boolean not null default false;
-- No lease of the attempt is renewed past it.
alter table attempt add column covered_until bigint;
${[
  orgTable('pool', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('pool_attempt', { app: ['select', 'insert', 'update'] }),
  orgTable('away_offer', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('deletion_order', { app: ['select', 'insert', 'update'] }),
  orgTable('burst_decision', { app: ['select', 'insert'] }),
].join('\n')}
`;
