/** Which of several processes is the custodian; the text never changes. */
export const MIGRATION_0006 = `
-- One row. Its key is the term: a renewal changes no key, so it does not wait for transactions that share the key, and a takeover does.
create table active_term (
  term bigint primary key,
  only_row boolean not null default true unique check (only_row),
  -- Nobody's when it was let go.
  holder text,
  beat bigint not null default 0
);
insert into active_term (term) values (0);
grant select, update on active_term to rf_system;
-- The right to one column is what it takes to lock the row's key.
grant select, update (beat) on active_term to rf_app;
`;
