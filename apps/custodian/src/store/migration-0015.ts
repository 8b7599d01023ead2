import { orgTable } from '@ringfence/store';

/** Keys of projects under the organisation's key, their rotation, and tombstones; the text never changes. */
export const MIGRATION_0015 = `
-- Which provider holds the organisation's key-encryption key, by the name that the operator gave it.
alter table organisation add column kek_provider text not null default 'built-in';

-- Key-encryption keys of projects, each wrapped by the organisation's. \`retiring\`: data keys may still lie under it, none is added.
create table project_kek (
  org text not null references organisation,
  project text not null,
  version bigint not null,
  provider text not null,
  key_version text not null,
  box bytea,
  state text not null check (state in ('current', 'retiring', 'destroyed')),
  made_at bigint not null,
  destroyed_at bigint,
  primary key (org, project, version),
  check ((box is null) = (state = 'destroyed')),
  check ((destroyed_at is not null) = (state = 'destroyed'))
);
create unique index project_kek_current on project_kek (org, project) where state = 'current';

-- Wrapping data keys again under version \`version\`: how far it is. Tables in their order; within one, by the page in which rows lie.
create table key_rotation (
  org text not null references organisation,
  project text not null,
  version bigint not null,
  cause text not null check (cause in ('upgraded', 'rotated', 'imported', 'moved')),
  started_at bigint not null,
  rows_total bigint not null,
  rows_done bigint not null default 0,
  at_table bigint not null default 0,
  at_page bigint not null default 0,
  finished_at bigint,
  primary key (org, project, version)
);
create unique index key_rotation_open on key_rotation (org, project) where finished_at is null;

-- What is crypto-shredded: written with the destruction of the projects' keys; \`envelope\`, the signed word, once the organisation's key is dealt with.
create table tombstone (
  org text not null references organisation,
  kind text not null check (kind in ('project', 'organisation')),
  project text not null,
  device text not null,
  at bigint not null,
  project_keys bigint not null,
  data_keys bigint not null,
  envelope jsonb,
  primary key (org, kind, project)
);

grant update on chunk, attempt_log to rf_app;
${[
  orgTable('project_kek', { app: ['select', 'insert', 'update'] }),
  orgTable('key_rotation', { app: ['select', 'insert', 'update'] }),
  orgTable('tombstone', { app: ['select', 'insert', 'update'] }),
].join('\n')}
`;
