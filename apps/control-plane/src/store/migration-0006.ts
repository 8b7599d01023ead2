/** Which tier and site custodians vouch for; those that said nothing of it are believed as before. The text never changes. */
export const MIGRATION_0006 = `
alter table party add column tier text;
alter table party add column site text;
`;
