import { isId, type ReleaseId } from '@ringfence/base';
import { CliError } from '../cli-error.ts';

/** The request that a word names by its id. Throws CliError `usage`. */
export function requestNamed(word: string): ReleaseId {
  if (isId('release', word)) return word;
  throw new CliError('usage', 'a request is named by its id, rls_…', { next: 'see `ringfence release ls`' });
}
