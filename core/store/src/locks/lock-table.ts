import { orgTable } from '../database/org-table.ts';

/** The table of locks, the same at control plane and custodian (docs/identity.md, "Locks"); a migration's text, so it never changes. */
export const LOCK_TABLE = `
create table lock (
  lock text primary key,
  org text not null references organisation,
  kind text not null check (kind in ('member', 'role', 'device', 'agent', 'site', 'token')),
  target text not null,
  -- Of a role: in which project alone; null everywhere.
  project text,
  -- Who set it: an officer, this process over two copies of an agent, or the organisation's custodian, which alone ends its own.
  source text not null check (source in ('officer', 'fork', 'custodian')),
  until bigint,
  set_at bigint not null,
  set_by text,
  set_by_member text,
  confirmed_at bigint,
  lifted_at bigint,
  -- What members agree to, as core/policy/src/assurance/proposal.ts has it; void as soon as term is another.
  confirming jsonb,
  lifting jsonb,
  term bigint not null default 1,
  check (project is null or kind = 'role')
);
create unique index lock_one_holds on lock (org, kind, target, project, source) nulls not distinct where lifted_at is null;
create index lock_not_lifted on lock (org) where lifted_at is null;
${orgTable('lock', { app: ['select', 'insert', 'update'], system: ['select'] })}
`;
