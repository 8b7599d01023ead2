import { createInterface } from 'node:readline/promises';
import { renderContractText } from '@ringfence/keyring';
import type { ContractFile } from '@ringfence/protocol/federation';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { digestOf } from './contract-lines.ts';

/** What says that the contract was read before. */
export interface ReadBefore {
  /** The beginning of its digest, eight letters or more. */
  readonly digest: string | undefined;
  readonly yes: boolean;
}

const SHORTEST_DIGEST = 8;

/**
 * Lets a contract be signed by whoever knows its digest, or has just been shown all of it: the file may have changed since it was read. Throws CliError `check-failed` where it is another one,
 * `usage` where nobody is there to say yes, `declined`.
 */
export async function confirmSigning(
  { stdin, terminal }: Pick<CommandContext, 'stdin' | 'terminal'>,
  file: ContractFile,
  { digest, yes }: ReadBefore,
): Promise<void> {
  const actual = digestOf(file);
  if (digest !== undefined) {
    if (digest.length < SHORTEST_DIGEST)
      throw new CliError('usage', 'too few letters name any contract', { next: 'give eight or more of its digest' });
    if (actual.startsWith(digest)) return;
    throw new CliError('check-failed', `the file holds another contract: ${actual}`, {
      next: 'read it: ringfence contract show FILE',
    });
  }
  if (yes) return terminal.note(`signing contract ${actual}`);
  if (!stdin.isTTY)
    throw new CliError('usage', 'nobody is there to say yes', {
      next: 'add --digest with what `ringfence contract show FILE` says, or --yes for whatever the file holds',
    });
  terminal.note(renderContractText(file));
  const reader = createInterface({ input: stdin, output: process.stderr });
  try {
    const answer = await reader.question('Sign it? [y/N] ');
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new CliError('declined', 'nothing was signed', { next: 'sign it when you are sure' });
  } finally {
    reader.close();
  }
}
