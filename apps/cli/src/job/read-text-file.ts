import { readFileSync } from 'node:fs';
import { CliError } from '../cli-error.ts';

/** The text of a file that a person named; throws CliError `bad-file` with `next`. */
export function readTextFile(path: string, next: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next });
  }
}
