import { orgTable } from '@ringfence/store';

/** What custodians said of documents about sites; the text never changes. */
export const MIGRATION_0005 = `
create table site_evidence (
  org text not null references organisation,
  evidence text not null,
  site text not null,
  standard text not null,
  grade text not null,
  from_at bigint not null,
  until_at bigint not null,
  primary key (org, site, evidence)
);
${orgTable('site_evidence', { app: ['select', 'insert', 'delete'] })}
`;
