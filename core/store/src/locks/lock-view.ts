import type { LockView } from '@ringfence/protocol/api';
import type { StoredLock } from './stored-lock.ts';

/** A lock as people see it. */
export function lockViewOf({
  id,
  target,
  source,
  setAt,
  setBy,
  until,
  term,
  confirming,
  lifting,
}: StoredLock): LockView {
  return {
    lock: id,
    target: target as LockView['target'],
    source,
    setAt,
    setBy,
    until,
    term,
    confirming: wishOf(confirming),
    lifting: wishOf(lifting),
  };
}

function wishOf(wish: StoredLock['lifting']): LockView['lifting'] {
  if (wish === null) return null;
  const { phase, approvals, waitedMs, expiresAt } = wish;
  return { phase, approvals: approvals.length, waitedMs, expiresAt };
}
