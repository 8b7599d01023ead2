import { orgTable } from '@ringfence/store';

/** How long data is kept, and reports of what was erased; the text never changes. */
export const MIGRATION_0018 = `
-- One rule for a dataset or output; or for all kept logs, whose artifact is the empty one.
create table retention (
  org text not null references organisation,
  artifact text not null,
  keep_ms bigint not null check (keep_ms > 0),
  device text not null,
  at bigint not null,
  primary key (org, artifact)
);

create table erasure (
  org text not null references organisation,
  digest text not null,
  at bigint not null,
  -- The signed statement, with the lists whose digests it signs.
  report jsonb not null,
  primary key (org, digest)
);
${[
  orgTable('retention', { app: ['select', 'insert', 'update', 'delete'] }),
  orgTable('erasure', { app: ['select', 'insert'] }),
].join('\n')}
`;
