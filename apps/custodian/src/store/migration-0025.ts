import { orgTable } from '@ringfence/store';

/**
 * The privacy ledger: what each dataset's owner lets be lost, what was, and what was not counted. Numbers with a fraction are text, as in signed
 * bytes. Nothing here points to an artifact: the account outlives the data. The text never changes.
 */
export const MIGRATION_0025 = `
create table privacy_budget (
  artifact text primary key,
  org text not null references organisation,
  -- One spelling of a unit, as JSON.
  unit text not null,
  epsilon text not null,
  delta text not null,
  device text not null,
  at bigint not null
);

-- Datasets that no job mounts but of a federation.
create table contract_only (
  artifact text primary key,
  org text not null references organisation,
  device text not null,
  at bigint not null
);

-- What an artifact has rows of; of an overlap there are both directions.
create table privacy_lineage (
  artifact text not null,
  source text not null,
  org text not null references organisation,
  cause text not null check (cause in ('output', 'declared', 'overlap')),
  at bigint not null,
  primary key (artifact, source),
  check (artifact <> source)
);
create index privacy_lineage_by_source on privacy_lineage (source);

-- Digests of the sealed objects that each version of a dataset ever had; of data in place, of its manifest.
create table dataset_object (
  artifact text not null,
  digest text not null,
  org text not null references organisation,
  primary key (artifact, digest)
);
create index dataset_object_by_digest on dataset_object (digest);
create table indexed_version (
  artifact text not null,
  version bigint not null,
  org text not null references organisation,
  primary key (artifact, version)
);

-- How often each different thing was done, by era: a new one begins when the database may be older than what was given leave.
create table privacy_tally (
  artifact text not null,
  era bigint not null,
  contract text not null,
  -- Whom the event is counted against; 'budget' is what a budget is debited by.
  party text not null check (party in ('budget', 'outsiders', 'member', 'others')),
  grade text not null check (grade in ('enforced', 'declared')),
  unit text not null,
  event text not null,
  org text not null references organisation,
  times bigint not null check (times > 0),
  primary key (artifact, era, contract, party, grade, unit, event)
);

-- One row for each use of a dataset: a round, or an attempt; and one for a round that was refused.
create table privacy_entry (
  artifact text not null,
  kind text not null check (kind in ('spent', 'uncounted', 'refused')),
  source text not null,
  org text not null references organisation,
  contract text,
  round bigint,
  job text not null,
  attempt bigint not null,
  -- What was debited, as JSON; null where nothing was counted.
  debit text,
  at bigint not null,
  primary key (artifact, kind, source)
);

-- Datasets of which it is not known what was done between an archive and its restore; settled by a bound on everything before.
create table privacy_doubt (
  artifact text not null,
  era bigint not null,
  org text not null references organisation,
  cause text not null check (cause in ('restored', 'rolled-back')),
  at bigint not null,
  least_epsilon text,
  least_delta text,
  epsilon text,
  delta text,
  device text,
  settled_at bigint,
  primary key (artifact, era)
);

alter table attempt no force row level security;
alter table job_output no force row level security;
insert into privacy_lineage (artifact, source, org, cause, at)
  select distinct o.artifact, mount->>'artifact', o.org, 'output', 0
  from attempt a
  join job_output o on o.job = a.job
  cross join lateral jsonb_array_elements(a.mounts) mount
  where mount->>'artifact' <> o.artifact;
alter table attempt force row level security;
alter table job_output force row level security;
${[
  orgTable('privacy_budget', { app: ['select', 'insert', 'update'] }),
  orgTable('contract_only', { app: ['select', 'insert', 'delete'] }),
  orgTable('privacy_lineage', { app: ['select', 'insert'] }),
  orgTable('dataset_object', { app: ['select', 'insert'] }),
  orgTable('indexed_version', { app: ['select', 'insert'] }),
  orgTable('privacy_tally', { app: ['select', 'insert', 'update'] }),
  orgTable('privacy_entry', { app: ['select', 'insert'] }),
  orgTable('privacy_doubt', { app: ['select', 'insert', 'update'] }),
].join('\n')}
`;
