import { orgTable } from '@ringfence/store';

/** What is agreed with other organisations; the text never changes. */
export const MIGRATION_0024 = `
-- Contracts by the digest of what was signed; the file gains signatures and longer keyrings.
create table contract (
  org text not null references organisation,
  contract text not null,
  file_box bytea not null,
  at bigint not null,
  primary key (org, contract)
);
${orgTable('contract', { app: ['select', 'insert', 'update'] })}

-- At most one a party, and for good.
create table contract_withdrawal (
  org text not null references organisation,
  contract text not null,
  party text not null,
  statement_box bytea not null,
  at bigint not null,
  primary key (org, contract, party),
  foreign key (org, contract) references contract
);
${orgTable('contract_withdrawal', { app: ['select', 'insert'] })}

create table peer_name (
  org text not null references organisation,
  peer text not null,
  name_box bytea not null,
  primary key (org, peer)
);
${orgTable('peer_name', { app: ['select', 'insert', 'update'] })}
`;
