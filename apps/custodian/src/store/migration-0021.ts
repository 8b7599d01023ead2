/** What the erasure of a member takes away; the text never changes. */
export const MIGRATION_0021 = `
grant delete on member_device to rf_app;
grant delete on totp to rf_app;
`;
