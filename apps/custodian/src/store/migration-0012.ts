/** What the last refused grant of a job lacked, for its owner; the text never changes. */
export const MIGRATION_0012 = `
alter table job add column refused_grant jsonb;
`;
