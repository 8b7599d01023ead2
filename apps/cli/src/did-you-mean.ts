import { nearestWord } from '@ringfence/protocol/job-file';

/** What to do about a word that names none of `known`: the nearest one, where there is one, and `next`. */
export function didYouMean(word: string, known: readonly string[], next: string): string {
  const nearest = nearestWord(word, known);
  return nearest === undefined ? next : `did you mean ${nearest}? Otherwise ${next}`;
}
