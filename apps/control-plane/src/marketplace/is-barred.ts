import type { Selectable } from 'kysely';
import type { OfferTable, PartyTable } from '../store/tables.ts';
import { MOST_AVOIDED_MS } from './step-avoidance.ts';

/** What may keep an offer from jobs for a time or for good, although its agent is not locked. */
export type Barred = Pick<Selectable<PartyTable>, 'admitted_until'> &
  Pick<Selectable<OfferTable>, 'avoided_until' | 'avoided_for'>;

/** Whether an offer gets no jobs at `now`: its machine is admitted no more, or it is avoided. */
export function isBarred({ admitted_until, avoided_until }: Barred, now: number): boolean {
  return (admitted_until !== null && admitted_until <= now) || isAvoided(avoided_until, now);
}

/** Whether an offer is avoided; nothing is for so long that its end could lie further ahead, unless the clock was ahead when it was written. */
export function isAvoided(until: number | null, now: number): boolean {
  return until !== null && now < until && until <= now + MOST_AVOIDED_MS;
}
