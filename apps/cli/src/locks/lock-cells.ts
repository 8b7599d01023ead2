import type { LockView } from '@ringfence/protocol/api';
import { momentText } from '../placement/moment-text.ts';
import type { PlacedLock } from './lock-places.ts';
import { targetText } from './lock-target.ts';

/** The head of {@link lockCells}. */
export const LOCK_HEAD = ['LOCK', 'ON', 'AT', 'SET', 'BY', 'UNTIL', 'AGREED'];

/** A lock as a row for people: what it cuts off, where, since when, who set it, how long, and what was agreed to. */
export function lockCells(lock: PlacedLock): string[] {
  return [
    lock.lock,
    targetText(lock.target),
    lock.source === 'officer' ? lock.at : `${lock.at} (${lock.source})`,
    momentText(lock.setAt),
    lock.setBy ?? '-',
    lock.until === null ? 'until lifted' : momentText(lock.until),
    agreedText(lock),
  ];
}

function agreedText({ confirming, lifting }: LockView): string {
  const wishes = [
    ...(confirming === null ? [] : [`confirm ${confirming.phase} ${confirming.approvals}`]),
    ...(lifting === null ? [] : [`lift ${lifting.phase} ${lifting.approvals}`]),
  ];
  return wishes.join(', ') || '-';
}
