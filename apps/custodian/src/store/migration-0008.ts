import { orgTable } from '@ringfence/store';

/** Evidence about sites; the text never changes. */
export const MIGRATION_0008 = `
-- Documents as their issuers signed them; whoever judges a start verifies them again.
create table evidence (
  org text not null references organisation,
  digest text not null,
  document jsonb not null,
  revocation jsonb,
  at bigint not null,
  primary key (org, digest)
);
${orgTable('evidence', { app: ['select', 'insert', 'update'] })}
`;
