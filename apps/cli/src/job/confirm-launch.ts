import { createInterface } from 'node:readline/promises';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';

/** Asks whether to launch what was planned. Throws CliError `usage` where nobody is there, `declined`. */
export async function confirmLaunch({ stdin }: CommandContext): Promise<void> {
  if (!stdin.isTTY) throw new CliError('usage', 'nobody is there to say yes', { next: 'add -y' });
  const reader = createInterface({ input: stdin, output: process.stderr });
  try {
    const answer = await reader.question('Launch it? [y/N] ');
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new CliError('declined', 'nothing was sent', { next: 'launch again when you are sure' });
  } finally {
    reader.close();
  }
}
