/** What the control plane was told of machines and documents; the text never changes. */
export const MIGRATION_0011 = `
-- Of a machine away from home: until when it is admitted, as the control plane heard it last; null before that.
alter table agent add column admission_told bigint;
-- Whether it heard whose sites a document is about.
alter table evidence add column provider_told boolean not null default false;
`;
