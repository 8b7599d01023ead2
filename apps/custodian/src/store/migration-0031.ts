import { orgTable } from '@ringfence/store';

/** How much each witness found, and in what order: of one that finds much only its first and its newest are kept. The text never changes. */
export const MIGRATION_0031 = `
create table audit_accuser (
  org text not null references organisation,
  witness text not null,
  filed bigint not null,
  primary key (org, witness)
);

-- The how-manieth of its witness.
alter table audit_accusation add column place bigint;
alter table audit_accusation no force row level security;
update audit_accusation a set place = b.place
  from (select org, witness, digest, row_number() over (partition by org, witness order by at, digest) as place from audit_accusation) b
  where a.org = b.org and a.witness = b.witness and a.digest = b.digest;
insert into audit_accuser (org, witness, filed) select org, witness, count(*) from audit_accusation group by org, witness;
alter table audit_accusation force row level security;
alter table audit_accusation alter column place set not null;
grant delete on audit_accusation to rf_app;
${orgTable('audit_accuser', { app: ['select', 'insert', 'update'] })}
`;
