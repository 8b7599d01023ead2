import { orgTable } from '@ringfence/store';

/** Data keys that are destroyed; the text never changes. */
export const MIGRATION_0009 = `
-- Attempts that ran away from home and whose data keys are destroyed: nothing is granted for them any more.
create table shredded_attempt (
  org text not null references organisation,
  job text not null references job,
  attempt bigint not null,
  at bigint not null,
  primary key (org, job, attempt)
);

-- Orders that wait because an attempt of theirs may still run. \`deletion\`: digest of the provider's word, or that there is none.
create table shred_order (
  org text not null references organisation,
  request text not null,
  agent text not null,
  attempts jsonb not null,
  deletion text not null,
  at bigint not null,
  primary key (org, request, deletion)
);

-- Gone with the data keys in them: the sealed grant of an attempt, and the sealed workload of a job that is over.
alter table attempt alter column payload drop not null;
alter table job alter column workload drop not null;
${[
  orgTable('shredded_attempt', { app: ['select', 'insert'] }),
  orgTable('shred_order', { app: ['select', 'insert', 'delete'] }),
].join('\n')}
`;
