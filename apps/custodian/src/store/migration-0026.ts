import { orgTable } from '@ringfence/store';

/** Jobs of federations, the rounds that they had leave for, and contracts that stand still; the text never changes. */
export const MIGRATION_0026 = `
create table federation_job (
  job text primary key references job,
  org text not null references organisation,
  contract text not null,
  role text not null check (role in ('client', 'aggregator')),
  code text
);
create index federation_job_by_contract on federation_job (contract);
${orgTable('federation_job', { app: ['select', 'insert'] })}

-- A number of a contract is used once by each agent, whatever becomes of the round.
create table federation_round (
  org text not null references organisation,
  contract text not null,
  agent text not null,
  round bigint not null,
  job text not null references job,
  attempt bigint not null,
  at bigint not null,
  outcome text check (outcome in ('summed', 'aborted')),
  report_box bytea,
  primary key (org, contract, agent, round)
);
${orgTable('federation_round', { app: ['select', 'insert', 'update'] })}

create table federation_pause (
  org text not null references organisation,
  contract text not null,
  device text not null,
  at bigint not null,
  primary key (org, contract)
);
${orgTable('federation_pause', { app: ['select', 'insert', 'delete'] })}
`;
