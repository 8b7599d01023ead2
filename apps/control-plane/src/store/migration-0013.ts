/** What placement reads can be told from what did not change since. The text never changes. */
export const MIGRATION_0013 = `
-- The transaction that last changed what placement reads of a row. A reader whose last snapshot had no transaction below x still running has
-- missed nothing below x; by numbers that are given before the commit, which are not committed in their order, that could not be said.
alter table offer add column changed_by bigint not null default (pg_current_xact_id()::text::bigint);
alter table party add column changed_by bigint not null default (pg_current_xact_id()::text::bigint);
create index offer_changed on offer (org, changed_by);
create index agent_changed on party (org, changed_by) where role = 'agent';

create function note_change() returns trigger language plpgsql as $$
begin
  new.changed_by := pg_current_xact_id()::text::bigint;
  return new;
end
$$;
create trigger offer_changes before update on offer for each row execute function note_change();
-- Not for what each heartbeat and each message write: when an agent was last heard is read again once it would count as away.
create trigger party_changes before update on party for each row when (
  (new.seen_at is null) <> (old.seen_at is null) or new.removed <> old.removed or new.draining <> old.draining
  or (new.locked, new.tier, new.site, new.provider, new.places, new.admitted_until)
    is distinct from (old.locked, old.tier, old.site, old.provider, old.places, old.admitted_until)
) execute function note_change();
`;
