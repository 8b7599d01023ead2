import { CliError } from '../cli-error.ts';

/** The index that a word spells. Throws CliError `usage`. */
export function indexOf(word: string): number {
  if (/^(?:0|[1-9]\d{0,14})$/.test(word)) return Number(word);
  throw new CliError('usage', 'the index of an entry is a whole number', { next: 'see `ringfence audit ls`' });
}
