import { parseDuration, type DurationMs } from '@ringfence/base';
import { refuse, text, type Read } from './read.ts';

const DAY = 86_400_000;
const YEAR = 365 * DAY;

const readDuration = text(parseDuration, 'a duration such as 30m, 6h or 2d');

/** How long a job may run: one second to 365 days. */
export const maxDuration: Read<DurationMs> = (tree, place) => {
  const duration = readDuration(tree, place);
  if (duration === undefined || (duration >= 1000 && duration <= YEAR)) return duration;
  return refuse(place, { code: 'out-of-range', message: 'this takes 1s to 365d' });
};

/** How old evidence may be, in whole days from 1 to 3650. */
export const evidenceAgeDays: Read<number> = (tree, place) => {
  const duration = readDuration(tree, place);
  if (duration === undefined) return undefined;
  if (duration % DAY === 0 && duration >= DAY && duration <= 3650 * DAY) return duration / DAY;
  return refuse(place, { code: 'out-of-range', message: 'this takes whole days from 1d to 3650d' });
};
