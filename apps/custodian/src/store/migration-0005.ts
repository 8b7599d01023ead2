import { orgTable } from '@ringfence/store';

/** Data in place, and the removal of what nothing names any more; the text never changes. */
export const MIGRATION_0005 = `
-- Data that is not copied has a place instead of a pack: its manifest is the digest of what lies there, and no key opens anything.
alter table artifact_version add column place_box bytea;
alter table artifact_version alter column kek drop not null;
alter table artifact_version alter column kek_version drop not null;
alter table artifact_version alter column key_box drop not null;
alter table artifact_version add constraint pack_or_place check (
  (place_box is null and kek is not null and kek_version is not null and key_box is not null)
  or (place_box is not null and kek is null and kek_version is null and key_box is null)
);

-- When something new last relied on the object, besides its storing.
alter table object add column used_at bigint not null default 0;

-- Files whose rows are gone and which are still to be removed.
create table doomed_object (
  digest text not null,
  org text not null references organisation,
  primary key (org, digest)
);

grant update, delete on object to rf_app;
grant delete on chunk to rf_app;
grant delete on artifact_version to rf_app;
${orgTable('doomed_object', { app: ['select', 'insert', 'update', 'delete'] })}
`;
