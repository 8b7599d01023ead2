/** Rounds that count among those aborted in a row no more, and federations that stopped by themselves; the text never changes. */
export const MIGRATION_0030 = `
alter table federation_round add column excused boolean not null default false;
alter table federation_pause alter column device drop not null;
`;
