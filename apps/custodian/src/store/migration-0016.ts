import { orgTable } from '@ringfence/store';

/** What owners of data release, and what was opened; the text never changes. */
export const MIGRATION_0016 = `
-- Whose word counts for a dataset. No reference to it: the owner of what was made of a dataset outlives its erasure.
create table dataset_owner (
  org text not null references organisation,
  artifact text not null,
  device text not null,
  at bigint not null,
  primary key (org, artifact)
);

-- Of datasets from before: the device that added the first version that the ledger knows.
alter table event no force row level security;
insert into dataset_owner (org, artifact, device, at)
  select distinct on (org, artifact) org, artifact, device, at
  from (
    select org, seq, at,
      convert_from(body, 'UTF8')::jsonb -> 'event' ->> 'artifact' as artifact,
      convert_from(body, 'UTF8')::jsonb -> 'event' ->> 'device' as device
    from event where type = 'dataset-added'
  ) as added
  where artifact is not null and device is not null
  order by org, artifact, seq;
alter table event force row level security;

create table release_request (
  org text not null references organisation,
  request text not null,
  device text not null,
  at bigint not null,
  -- Objects, purpose and recipients.
  request_box bytea not null,
  primary key (org, request)
);

-- Owners' signed words: a decision on a request, or a standing rule. \`scopes\`: the digests, or the dataset or job, that it speaks of.
create table release_word (
  org text not null references organisation,
  word text not null,
  seq bigint not null,
  kind text not null check (kind in ('release', 'rule')),
  request text,
  device text not null,
  scopes jsonb not null,
  word_box bytea not null,
  at bigint not null,
  used integer not null default 0,
  end_box bytea,
  primary key (org, word),
  unique (org, seq),
  -- Each owner decides a request once.
  unique (org, request, device)
);
create index release_word_scopes on release_word using gin (scopes);

-- What was handed out, or kept closed, with the custodian's signed account of it.
create table opening (
  org text not null references organisation,
  receipt text not null,
  kind text not null,
  job text,
  device text,
  digest text,
  decision text not null check (decision in ('opened', 'kept-closed')),
  words jsonb not null,
  at bigint not null,
  -- Of a stream that is looked at again and again.
  last_at bigint not null,
  document jsonb not null,
  primary key (org, receipt)
);
create index opening_words on opening using gin (words);
create index opening_seen on opening (org, kind, last_at);
${[
  orgTable('dataset_owner', { app: ['select', 'insert', 'update'] }),
  orgTable('release_request', { app: ['select', 'insert'] }),
  orgTable('release_word', { app: ['select', 'insert', 'update'] }),
  orgTable('opening', { app: ['select', 'insert', 'update'] }),
].join('\n')}
`;
