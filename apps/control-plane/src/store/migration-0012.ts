/** Why an agent refused an attempt, and why an attempt was told to stop; nobody decides by either. The text never changes. */
export const MIGRATION_0012 = `
alter table attempt add column refusal text;
alter table attempt add column stop_cause text;
`;
