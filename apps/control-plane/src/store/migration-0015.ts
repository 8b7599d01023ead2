import { orgTable } from '@ringfence/store';

/** Members, their factors and sessions, service accounts, and what each ceremony spends. The text never changes. */
export const MIGRATION_0015 = `
-- Null while devices' keys are all there is: since when an owner or officer has a factor.
alter table organisation add column factors_since bigint;

create table member (
  member text primary key,
  org text not null references organisation,
  state text not null check (state in ('invited', 'active', 'gone')),
  sign_in_name text not null unique,
  roles jsonb not null,
  made_at bigint not null,
  -- The set of recovery codes that counts; others are void.
  recovery_set text,
  check (jsonb_typeof(roles) = 'array')
);
create index member_by_org on member (org);

-- Whose device it is, once it was stepped up by a factor of theirs; the first stays.
create table member_device (
  device text primary key references party,
  org text not null references organisation,
  member text not null references member,
  at bigint not null
);
create index member_device_by_member on member_device (member);

create table password (
  member text primary key references member,
  org text not null references organisation,
  hash text not null,
  changed_at bigint not null
);

-- A credential's id is one in all organisations.
create table passkey (
  credential text primary key,
  org text not null references organisation,
  member text not null references member,
  public_key bytea not null,
  sign_count bigint not null check (sign_count >= 0),
  may_be_copied boolean not null,
  aaguid text not null,
  added_at bigint not null,
  used_at bigint,
  -- Set when its counter fell; cleared by its member's next sign-in with another factor.
  suspended_at bigint
);
create index passkey_by_member on passkey (member);

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
  set_id text not null,
  made_at bigint not null,
  spent_at bigint,
  primary key (member, digest)
);

create table sso_provider (
  provider text primary key,
  org text not null references organisation,
  issuer text not null,
  client_id text not null,
  secret_box bytea,
  algorithms jsonb not null,
  assures smallint not null check (assures in (1, 2)),
  acr text,
  made_at bigint not null,
  removed_at bigint
);
create unique index sso_provider_once on sso_provider (org, issuer, client_id) where removed_at is null;

create table sso_identity (
  provider text not null references sso_provider,
  subject_digest text not null,
  org text not null references organisation,
  member text not null references member,
  linked_at bigint not null,
  primary key (provider, subject_digest),
  unique (provider, member)
);

create table invitation (
  invitation text primary key,
  org text not null references organisation,
  member text not null references member,
  secret_digest text not null unique,
  made_at bigint not null,
  expires_at bigint not null,
  spent_at bigint
);
create unique index invitation_one_open on invitation (member) where spent_at is null;

create table session (
  session text primary key,
  org text not null references organisation,
  member text not null references member,
  token_digest text not null unique,
  public_key text not null unique,
  made_at bigint not null,
  seen_at bigint not null,
  ends_at bigint not null,
  ended_at bigint
);
create index session_open on session (org, member) where ended_at is null;
create index session_ends on session (ends_at);

-- A step of a sign-in has no organisation yet.
create table ceremony (
  ceremony text primary key,
  org text references organisation,
  kind text not null check (kind in ('passkey-enrol', 'passkey-sign-in', 'passkey-step-up', 'sso')),
  member text references member,
  -- A session or a device.
  holder text,
  challenge text not null unique,
  browser_digest text not null,
  for_digest text,
  provider text references sso_provider,
  secret_box bytea,
  made_at bigint not null,
  expires_at bigint not null,
  spent_at bigint
);
create index ceremony_ends on ceremony (expires_at);

-- The newest factor of each kind that was given to a session or a device.
create table given_factor (
  holder text not null,
  kind text not null check (kind in ('password', 'totp', 'recovery-code', 'passkey', 'sso')),
  org text not null references organisation,
  member text not null references member,
  at bigint not null,
  traits jsonb not null,
  primary key (holder, kind)
);
create index given_factor_by_member on given_factor (member);
create index given_factor_age on given_factor (at);

create table service_account (
  account text primary key,
  org text not null references organisation,
  roles jsonb not null,
  made_at bigint not null,
  removed_at bigint,
  check (jsonb_typeof(roles) = 'array')
);
create index service_account_by_org on service_account (org);

create table federation (
  federation text primary key,
  org text not null references organisation,
  account text not null references service_account,
  issuer text not null,
  audience text not null,
  subject text not null,
  made_at bigint not null,
  removed_at bigint
);
-- A token is one account's, in all organisations.
create unique index federation_once on federation (issuer, audience, subject) where removed_at is null;

create table account_key (
  key text primary key,
  org text not null references organisation,
  account text not null references service_account,
  public_key text not null unique,
  made_at bigint not null,
  ends_at bigint not null,
  -- Null for a key that was made without a token.
  federation text references federation,
  removed_at bigint
);
create index account_key_by_account on account_key (account);

-- A federated token counts once.
create table spent_token (
  issuer text not null,
  token_digest text not null,
  org text not null references organisation,
  expires_at bigint not null,
  primary key (issuer, token_digest)
);
create index spent_token_ends on spent_token (expires_at);

-- Tries that were not yet right, of accounts that exist and of names that do not, by a keyed digest.
create table wrong_try (
  bucket text primary key,
  tries bigint not null,
  until_at bigint not null
);
create index wrong_try_ends on wrong_try (until_at);
grant select, insert, update, delete on wrong_try to rf_system;

${[
  orgTable('member', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('member_device', { app: ['select', 'insert', 'delete'], system: ['select'] }),
  orgTable('password', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('passkey', { app: ['select', 'insert', 'update', 'delete'], system: ['select'] }),
  orgTable('totp', { app: ['select', 'insert', 'update'] }),
  orgTable('recovery_code', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('sso_provider', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('sso_identity', { app: ['select', 'insert', 'delete'], system: ['select'] }),
  orgTable('invitation', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('session', { app: ['select', 'insert', 'update'], system: ['select', 'delete'] }),
  orgTable('ceremony', {
    app: ['select', 'insert', 'update', 'delete'],
    system: ['select', 'insert', 'update', 'delete'],
  }),
  orgTable('given_factor', { app: ['select', 'insert', 'update', 'delete'], system: ['select', 'delete'] }),
  orgTable('service_account', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('federation', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('account_key', { app: ['select', 'insert', 'update'], system: ['select'] }),
  orgTable('spent_token', { app: ['select', 'insert'], system: ['select', 'delete'] }),
].join('\n')}
`;
