/** Leases that are watched rather than read off a clock: each renewal is counted. */
export const MIGRATION_0003 = `
alter table attempt add column renewals bigint not null default 0;
-- Each word of the holder raises it too; another replica that saw it stand still takes the term.
alter table placer_term add column beat bigint not null default 0;
`;
