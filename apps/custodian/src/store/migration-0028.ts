/** Which dataset a client's job of a federation trains on, also before it is granted; the text never changes. */
export const MIGRATION_0028 = `
alter table federation_job add column artifact text;
`;
