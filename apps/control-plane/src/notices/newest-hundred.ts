import type { Told } from './officers-notices.ts';

/** How many notices an answer holds. */
export const MOST_NOTICES = 100;
const MOST_OF_OFFICERS = 50;

/**
 * Of what officers are told fifty, and of one's own what there is room for beside them; newest first. However much waits or ends in an organisation, it
 * pushes out nobody's own.
 */
export function newestHundred<About>({
  officers,
  own,
}: {
  /** Either: what is left out last first. */
  readonly officers: readonly Told<About>[];
  readonly own: readonly Told<About>[];
}): Told<About>[] {
  const theirs = officers.slice(0, MOST_OF_OFFICERS);
  const ones = own.slice(0, MOST_NOTICES - theirs.length);
  return [...theirs, ...ones].toSorted((one, other) => other.at - one.at);
}
