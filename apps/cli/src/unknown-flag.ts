import { parseArgs } from 'node:util';
import { nearestWord } from '@ringfence/protocol/job-file';
import type { Command } from './command.ts';

/** The first long flag of a command line that `options` do not have, and the nearest that they do; undefined when there is none. */
export function unknownFlag(
  args: readonly string[],
  options: Command['options'],
): { readonly flag: string; readonly nearest: string | undefined } | undefined {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
  const found = tokens.find((token) => token.kind === 'option' && !Object.hasOwn(options, token.name));
  if (found?.kind !== 'option' || !found.rawName.startsWith('--')) return undefined;
  const nearest = nearestWord(found.name, Object.keys(options));
  return { flag: found.rawName, nearest: nearest === undefined ? undefined : `--${nearest}` };
}
