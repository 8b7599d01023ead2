import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { messageOf } from '@ringfence/base';
import { parseJoinCode, type JoinCode } from '@ringfence/keyring';
import { AgentError } from '../agent-error.ts';

const LONGEST = 16_384;

/** The join code from a file, a pipe or a prompt; never from the command line. Throws AgentError, KeyringError `bad-code`. */
export async function readJoinCode(
  file: string | undefined,
  { input, prompt }: { input: Readable & { isTTY?: boolean }; prompt: Writable },
): Promise<JoinCode> {
  if (file !== undefined) return parseJoinCode(readFile(file));
  if (input.isTTY === true) {
    const terminal = createInterface({ input, output: prompt });
    try {
      return parseJoinCode(await terminal.question('join code: '));
    } finally {
      terminal.close();
    }
  }
  let text = '';
  for await (const part of input.setEncoding('utf8')) {
    text += String(part);
    if (text.length > LONGEST) break;
  }
  return parseJoinCode(text);
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AgentError('bad-code', `the code file cannot be read: ${messageOf(cause)}`, {
      cause,
      next: 'check --code-file',
    });
  }
}
