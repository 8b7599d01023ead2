/** Whose machines and documents custodians vouch for and until when, and which offers are avoided for a time. The text never changes. */
export const MIGRATION_0009 = `
-- Of an agent away from home; null where its custodian did not say, 0 once its admission has ended.
alter table party add column provider text;
alter table party add column admitted_until bigint;
alter table party add column places jsonb;
-- A provider, 'own', or null where the custodian did not say.
alter table site_evidence add column provider text;
-- Of the attempts that an offer got last, how many in a row its agent would not run, and of which job the last one was.
alter table offer add column strikes bigint not null default 0;
alter table offer add column struck_by text;
-- How often in a row it was avoided, and until when and why it is.
alter table offer add column avoidances bigint not null default 0;
alter table offer add column avoided_until bigint;
alter table offer add column avoided_for text;
-- How long the attempt's agent has to end it by itself.
alter table attempt add column stop_grace_ms bigint;

-- What has to be looked at now and then, over all organisations.
create index admission_ends on party (admitted_until) where admitted_until > 0;
create index evidence_ends on site_evidence (until_at);
create index avoidance_ends on offer (avoided_until) where avoided_until is not null;
create index attempt_stopping on attempt (agent) where live and stop_sent;

grant update (provider) on site_evidence to rf_app;
create policy site_evidence_of_all on site_evidence to rf_system using (true) with check (true);
grant select on site_evidence to rf_system;
create policy offer_of_all on offer to rf_system using (true) with check (true);
grant select on offer to rf_system;
`;
