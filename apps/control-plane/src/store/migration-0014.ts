/** Since when a pool's costs are counted. The text never changes. */
export const MIGRATION_0014 = `
alter table pool add column counted_from bigint;
alter table pool no force row level security;
alter table event no force row level security;
update pool set counted_from = coalesce(
  (select min(at) from event where event.org = pool.org and event.type = 'pool-set'),
  (convert_from(decode(statement->>'payload', 'base64'), 'UTF8')::jsonb->>'at')::bigint
);
alter table pool force row level security;
alter table event force row level security;
`;
