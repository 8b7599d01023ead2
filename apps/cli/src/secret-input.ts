import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { text, type CommandContext, type Flags } from './command.ts';
import { CliError } from './cli-error.ts';

const LONGEST = 16_384;

/** A secret from `--NAME-file`, a prompt, or the pipe on stdin: never from an argument. Throws CliError `bad-file`, `usage`. */
export async function secretInput(
  context: CommandContext,
  flags: Flags,
  what: { flag: string; prompt: string },
): Promise<string> {
  const file = text(flags, `${what.flag}-file`);
  if (file !== undefined) return readSecretFile(file);
  if (context.stdin.isTTY) return promptHidden(context, what.prompt);
  return readPipe(context, what);
}

function readSecretFile(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new CliError('bad-file', `${path} cannot be read`, { cause, next: 'check the path and who may read it' });
  }
}

/** Reads a line that is not shown; Ctrl-C and Ctrl-D end the command. */
async function promptHidden({ stdin }: CommandContext, prompt: string): Promise<string> {
  process.stderr.write(`${prompt}: `);
  // The terminal would echo what is typed; readline without an output stream writes nothing.
  stdin.setRawMode(true);
  const reader = createInterface({ input: stdin, terminal: true });
  const leaving = new AbortController();
  reader.once('SIGINT', () => leaving.abort()).once('close', () => leaving.abort());
  try {
    return (await reader.question('', { signal: leaving.signal })).trim();
  } catch (cause) {
    throw new CliError('declined', 'nothing was entered', { cause });
  } finally {
    reader.close();
    stdin.setRawMode(false);
    process.stderr.write('\n');
  }
}

async function readPipe({ stdin }: CommandContext, what: { flag: string; prompt: string }): Promise<string> {
  let input = '';
  stdin.setEncoding('utf8');
  for await (const part of stdin) {
    input += String(part);
    if (input.length > LONGEST) break;
  }
  if (input.trim() !== '') return input.trim();
  throw new CliError('usage', `nothing on stdin for: ${what.prompt}`, {
    next: `pipe it in, or name a file with --${what.flag}-file`,
  });
}
