/** A larger privacy budget is proposed as other things that take two people; the text never changes. */
export const MIGRATION_0027 = `
alter table proposal drop constraint proposal_kind_check;
alter table proposal add constraint proposal_kind_check check (kind in ('keyring', 'policy', 'privacy-budget'));
`;
