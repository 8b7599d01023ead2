import { orgTable } from '@ringfence/store';

/** Agents that were given a certificate; the text never changes. */
export const MIGRATION_0029 = `
create table certified_agent (
  org text not null references organisation,
  agent text not null,
  at bigint not null,
  primary key (org, agent)
);
${orgTable('certified_agent', { app: ['select', 'insert'] })}
`;
