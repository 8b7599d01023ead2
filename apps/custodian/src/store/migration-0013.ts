/** What the control plane was told of devices' roles; the text never changes. */
export const MIGRATION_0013 = `
-- Whether it heard the roles of all devices once: from then on it hears of what changes.
alter table organisation add column roles_told boolean not null default false;
`;
