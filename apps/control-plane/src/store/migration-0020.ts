import { orgTable } from '@ringfence/store';

/** What members are told of their accounts, and tries that stay until they were. The text never changes. */
export const MIGRATION_0020 = `
-- One for each entry of the ledger that is about a member's way in.
create table notice (
  org text not null references organisation,
  seq bigint not null,
  member text not null references member,
  at bigint not null,
  about jsonb not null,
  primary key (org, seq)
);
create index notice_by_member on notice (member, seq);
create index notice_age on notice (at);
${orgTable('notice', { app: ['select', 'insert'], system: ['select', 'delete'] })}
-- Tries before the last day without one; and whether one factor of one was right.
alter table wrong_try add column earlier bigint not null default 0;
alter table wrong_try add column half_right boolean not null default false;
create index wrong_try_slip on wrong_try (until_at) where tries + earlier < 5 and not half_right;
`;
