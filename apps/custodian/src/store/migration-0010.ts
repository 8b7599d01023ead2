import { orgTable } from '@ringfence/store';

/** What officers signed of how strict jobs are to be; the text never changes. */
export const MIGRATION_0010 = `
-- Every version of every profile and of the organisation's policy: labels and grants name them by digest. The policy's name is the empty one.
create table signed_rule (
  org text not null references organisation,
  kind text not null check (kind in ('profile', 'policy')),
  name_index text not null,
  seq integer not null,
  digest text not null,
  -- The statement; the name of a profile is payload.
  document_box bytea not null,
  at bigint not null,
  primary key (org, kind, name_index, seq),
  unique (org, digest)
);
${orgTable('signed_rule', { app: ['select', 'insert'] })}
`;
