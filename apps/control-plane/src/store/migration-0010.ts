/** A lease is stored once, so that many can be given a second. The text never changes. */
export const MIGRATION_0010 = `
-- A lease is put together when it is sent: what it says is in the rows of its job and its attempt.
alter table outbox alter column message drop not null;
alter table outbox add column lease_of text;
alter table outbox add column attempt integer;
alter table outbox add constraint outbox_message check ((message is null) = (lease_of is not null and attempt is not null));

-- What is signed does not compress.
alter table attempt alter column receipt set storage external;
alter table attempt alter column lease set storage external;

-- Their transaction has locked that organisation's row, and their policies let no row name another.
alter table attempt drop constraint attempt_org_fkey;
alter table outbox drop constraint outbox_org_fkey;
alter table event drop constraint event_org_fkey;
`;
