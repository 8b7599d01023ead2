import { orgTable } from '@ringfence/store';

/** The queue: gangs, jobs that ask for the same, and machines that are being cleared for a job. The text never changes. */
export const MIGRATION_0008 = `
alter table job add column gang text;
-- Jobs with the same one fit at the same offers; null in rows that are older than the column.
alter table job add column shape text;
create index job_by_gang on job (gang) where gang is not null and state = 'queued';
create index job_queue on job (org) where state = 'queued';
-- Jobs that were looked at and found no room.
create index job_without_room on job (org) where state = 'queued' and waiting_for <> '[]';

create table nomination (
  job text primary key references job,
  org text not null references organisation,
  offer text not null,
  until_at bigint not null
);
create index nomination_by_org on nomination (org);
${orgTable('nomination', { app: ['select', 'insert', 'delete'] })}
`;
