import { orgTable } from '@ringfence/store';

/** Whose devices there are, what members show beside them, and what takes two of them; the text never changes. */
export const MIGRATION_0020 = `
-- When an officer enrolled the first factor; until then device keys are all that there is.
alter table organisation add column factors_since bigint;

create table member (
  member text primary key,
  org text not null references organisation,
  name_box bytea,
  made_at bigint not null,
  -- Wrong tries of codes: how many in a row, and until when none is taken.
  tries integer not null default 0,
  try_after bigint not null default 0
);

-- A device is one member's for good.
create table member_device (
  device text primary key,
  org text not null references organisation,
  member text not null references member
);

create table totp (
  totp text primary key,
  org text not null references organisation,
  member text not null references member,
  secret_box bytea not null,
  last_step bigint not null,
  made_at bigint not null,
  confirmed_at bigint,
  removed_at bigint
);
create unique index totp_one_confirmed on totp (member) where removed_at is null and confirmed_at is not null;
create unique index totp_one_begun on totp (member) where removed_at is null and confirmed_at is null;

create table recovery_code (
  member text not null references member,
  digest text not null,
  org text not null references organisation,
  made_at bigint not null,
  spent_at bigint,
  primary key (member, digest)
);

-- What a device's person has shown, and when.
create table given_factor (
  device text not null,
  kind text not null check (kind in ('totp', 'recovery-code')),
  org text not null references organisation,
  at bigint not null,
  primary key (device, kind)
);

create table proposal (
  proposal text primary key,
  org text not null references organisation,
  kind text not null check (kind in ('keyring', 'policy')),
  -- Of the statement that is carried out.
  digest text not null,
  device text not null,
  statement_box bytea not null,
  state jsonb not null,
  open boolean not null,
  outcome text check (outcome in ('done', 'objected', 'expired', 'failed')),
  term integer not null,
  made_at bigint not null
);
create unique index proposal_once on proposal (org, digest) where open;
${[
  orgTable('member', { app: ['select', 'insert', 'update'] }),
  orgTable('member_device', { app: ['select', 'insert'] }),
  orgTable('totp', { app: ['select', 'insert', 'update'] }),
  orgTable('recovery_code', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('given_factor', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('proposal', { app: ['select', 'insert', 'update'] }),
].join('\n')}
`;
