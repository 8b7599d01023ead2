/** Who brought an object; the text never changes. */
export const MIGRATION_0007 = `
-- The agent that stored it first; nobody when that was a device, or before this was noted.
alter table object add column uploader text;
`;
