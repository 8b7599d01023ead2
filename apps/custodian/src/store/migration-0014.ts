import { LOCK_TABLE } from '@ringfence/store/locks';

/** Locks, and whose a token is. The text never changes. */
export const MIGRATION_0014 = `
${LOCK_TABLE}
-- Which device had it made; null for those of earlier releases.
alter table endpoint_token add column minted_by text;

-- Agents that were locked before there were rows of locks: their own random letters name the lock.
alter table lock no force row level security;
alter table agent no force row level security;
insert into lock (lock, org, kind, target, source, set_at)
  select 'lck_' || substr(agent, 5), org, 'agent', agent, 'fork', joined_at
  from agent where locked in ('fork', 'incident') and not removed;
alter table agent force row level security;
alter table lock force row level security;
`;
