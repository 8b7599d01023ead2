import { orgTable } from '@ringfence/store';

/** Endpoints, their replicas, tokens, gateways and issuers; the text never changes. */
export const MIGRATION_0002 = `
-- What callers know by one name, over all its revisions.
create table endpoint (
  endpoint text primary key,
  org text not null references organisation,
  name_index text not null,
  name_box bytea not null,
  made_at bigint not null,
  manual bigint,
  removed boolean not null default false,
  unique (org, name_index)
);

create table endpoint_revision (
  endpoint text not null references endpoint,
  revision bigint not null,
  org text not null references organisation,
  state text not null check (state in ('coming', 'current', 'going', 'gone')),
  service_box bytea not null,
  sensitivity text not null,
  made_at bigint not null,
  primary key (endpoint, revision)
);

-- One replica each: a job. \`told\` is what the control plane was told last.
create table endpoint_slot (
  job text primary key references job,
  org text not null references organisation,
  endpoint text not null,
  revision bigint not null,
  slot bigint not null,
  wanted boolean not null,
  told text check (told in ('wanted', 'parked', 'final')),
  attempt bigint,
  state text check (state in ('ready', 'draining', 'gone')),
  foreign key (endpoint, revision) references endpoint_revision,
  unique (endpoint, revision, slot)
);

create table endpoint_token (
  digest text not null,
  org text not null references organisation,
  endpoint text not null references endpoint,
  name_index text not null,
  name_box bytea not null,
  made_at bigint not null,
  expires_at bigint not null,
  limits jsonb not null,
  primary key (org, digest),
  unique (endpoint, name_index)
);

-- Agents that may be gateways.
create table gateway (
  agent text primary key references agent,
  org text not null references organisation,
  allowed_at bigint not null
);

-- Authorities of gateways' certificates; the newest whose time has come issues.
create table endpoint_issuer (
  serial bigint not null,
  org text not null references organisation,
  certificate text not null,
  key_box bytea not null,
  issues_from bigint not null,
  primary key (org, serial)
);
${[
  orgTable('endpoint', { app: ['select', 'insert', 'update'] }),
  orgTable('endpoint_revision', { app: ['select', 'insert', 'update'] }),
  orgTable('endpoint_slot', { app: ['select', 'insert', 'update'] }),
  orgTable('endpoint_token', { app: ['select', 'insert', 'delete'] }),
  orgTable('gateway', { app: ['select', 'insert', 'delete'] }),
  orgTable('endpoint_issuer', { app: ['select', 'insert', 'delete'] }),
].join('\n')}
`;
