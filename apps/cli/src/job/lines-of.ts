import type { Readable } from 'node:stream';
import { ClientError } from '@ringfence/client/error';

/** Far more than a line of any answer has; one without an end must not fill memory. */
const LONGEST_LINE = 8 * 1_048_576;

/**
 * Whole lines of a stream of UTF-8; node:readline would pass a late error of the stream on to nobody. Throws ClientError `bad-response` for a
 * line of more than `longest` characters.
 */
export async function* linesOf(body: Readable, longest = LONGEST_LINE): AsyncGenerator<string> {
  let rest = '';
  body.on('error', () => {});
  body.setEncoding('utf8');
  for await (const part of body) {
    const lines = (rest + String(part)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > longest) throw new ClientError('bad-response', 'the agent sends a line without an end');
  }
  if (rest !== '') yield rest;
}
