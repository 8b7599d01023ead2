import { writeFileSync } from 'node:fs';
import { CliError } from './cli-error.ts';

/** Writes a file that is not there yet. Throws CliError `bad-file`. */
export function writeNewFile(path: string, content: string): void {
  try {
    writeFileSync(path, content, { flag: 'wx', mode: 0o644 });
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be written`, { cause, next: 'name a file that is not there yet' });
  }
}
