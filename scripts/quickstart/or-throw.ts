import type { CliResult } from '../house/index.ts';

/** The result of a command that must succeed; throws an Error with what it said. */
export function orThrow(result: CliResult): CliResult {
  if (result.code !== 0) throw new Error(result.stderr || result.stdout);
  return result;
}
