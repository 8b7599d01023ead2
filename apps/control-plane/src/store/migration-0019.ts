/** What devices may do; the text never changes. */
export const MIGRATION_0019 = `
-- Whether the custodian says which roles devices have: until it does, as earlier releases did not, each device is an owner.
alter table organisation add column tells_roles boolean not null default false;
-- Of a device: its roles by the keyring, and how far that was.
alter table party add column roles jsonb;
alter table party add column roles_seq integer;
`;
