/** What the erasure of a dataset changes in requests that name it; the text never changes. */
export const MIGRATION_0022 = `
grant update (request_box) on release_request to rf_app;
`;
