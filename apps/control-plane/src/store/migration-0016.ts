import { LOCK_TABLE } from '@ringfence/store/locks';

/** Locks. The text never changes. */
export const MIGRATION_0016 = `
${LOCK_TABLE}
-- What the locks say of an agent, as placement and the renewal of leases read it.
alter table party drop constraint party_locked_check;
alter table party add constraint party_locked_check check (locked in ('fork', 'removed', 'incident', 'lock'));

-- Agents that were locked before there were rows of locks: their own random letters name the lock.
alter table lock no force row level security;
alter table party no force row level security;
insert into lock (lock, org, kind, target, source, set_at)
  select 'lck_' || substr(id, 5), org, 'agent', id, case locked when 'fork' then 'fork' else 'custodian' end, coalesce(seen_at, 0)
  from party where role = 'agent' and locked in ('fork', 'incident') and not removed;
alter table party force row level security;
alter table lock force row level security;
`;
