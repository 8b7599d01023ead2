import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { CliError } from '../cli-error.ts';
import { didYouMean } from '../did-you-mean.ts';

/** The text of a file that a person named; throws CliError `bad-file` with `next`, and with the nearest file where there is none of that name. */
export function readTextFile(path: string, next: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const isAbsent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (!isAbsent) throw new CliError('bad-file', `${path} cannot be read`, { cause, next });
    throw new CliError('bad-file', `there is no file ${path}`, {
      cause,
      next: didYouMean(basename(path), filesIn(dirname(path)), next),
    });
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [] : [entry.name]));
  } catch {
    return [];
  }
}
