import { parseDuration, type DurationMs } from '@ringfence/base';
import { refuse, text, type Read } from './read.ts';

const DAY = 86_400_000;
const YEAR = 365 * DAY;

const readDuration = text(parseDuration, 'a duration such as 30m, 6h or 2d');

/** A duration of `least` to `most` milliseconds; `words` are both ends in the spelling of the field. */
export function durationWithin(least: number, most: number, words: string): Read<DurationMs> {
  return (tree, place) => {
    const duration = readDuration(tree, place);
    if (duration === undefined || (duration >= least && duration <= most)) return duration;
    return refuse(place, { code: 'out-of-range', message: `this takes ${words}` });
  };
}

/** How long a job may run: one second to 365 days. */
export const maxDuration: Read<DurationMs> = durationWithin(1000, YEAR, '1s to 365d');

/** How old evidence may be, in whole days from 1 to 3650. */
export const evidenceAgeDays: Read<number> = (tree, place) => {
  const duration = readDuration(tree, place);
  if (duration === undefined) return undefined;
  if (duration % DAY === 0 && duration >= DAY && duration <= 3650 * DAY) return duration / DAY;
  return refuse(place, { code: 'out-of-range', message: 'this takes whole days from 1d to 3650d' });
};
