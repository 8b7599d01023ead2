/** How many attempts ended at an offer, and how many of them were lost: what its reliability is measured by. */
export const MIGRATION_0004 = `
alter table offer add column ended bigint not null default 0;
alter table offer add column lost bigint not null default 0;
`;
