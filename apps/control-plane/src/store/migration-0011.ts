/** How long attempts ran at an offer: with how many were lost, what its mean time between losses is measured by. The text never changes. */
export const MIGRATION_0011 = `
alter table offer add column ran_ms bigint not null default 0;
`;
