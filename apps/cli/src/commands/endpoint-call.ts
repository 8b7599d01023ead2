import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { CliError } from '../cli-error.ts';
import { text, texts, type Command, type CommandContext, type Flags } from '../command.ts';
import { agentsWord } from '../endpoint/agents-word.ts';
import { callEndpoint, type EndpointCall } from '../endpoint/call-endpoint.ts';
import { notReleased } from '../release/not-released.ts';
import { withSession } from '../session.ts';
import { inFrontOf } from '../terminal-stream.ts';

/** Most bytes of an answer that is shown as one value. */
const LARGEST_JSON = 64 * 1_048_576;
const LINE_FEED = 0x0a;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

export const command: Command = {
  usage: 'NAME [/PATH] [-d BODY|@FILE|@-] [-X METHOD] [--header "Name: value"]… [--raw]',
  summary: 'call an endpoint as a member, without a token; the answer streams to stdout',
  options: {
    data: { type: 'string', short: 'd' },
    request: { type: 'string', short: 'X' },
    header: { type: 'string', multiple: true, short: 'H' },
    raw: { type: 'boolean' },
  },
  words: [1, 2],
  async run(context, [name = '', path = '/'], flags) {
    const call = callOf(flags, name, path);
    await withSession(context, (session) =>
      callEndpoint(context, session, call, async ({ status, headers, body }) => {
        const own = agentsWord({ headers });
        if (context.terminal.json)
          await showAsJson(context, { status, type: headers['content-type'], gateway: own ?? null, body });
        else await showAsItComes(body, flags['raw'] === true);
        if (status >= 400) throw callFailed(name, status, own);
      }),
    );
  },
};

function callOf(flags: Flags, name: string, path: string): EndpointCall {
  const body = bodyOf(text(flags, 'data'));
  const wished = (text(flags, 'request') ?? (body === undefined ? 'GET' : 'POST')).toUpperCase();
  const method = METHODS.find((known) => known === wished);
  if (method === undefined || !path.startsWith('/'))
    throw new CliError('usage', method === undefined ? 'the method is unknown' : 'a path begins with /', {
      next: `ringfence endpoint call ${command.usage}`,
    });
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  for (const line of texts(flags, 'header')) {
    const [, key, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):\s*([\t\x20-\x7e]*)$/.exec(line) ?? [];
    if (key === undefined || value === undefined)
      throw new CliError('usage', '--header is not "Name: value"', {
        next: 'write it as --header "Accept: text/plain"',
      });
    headers[key.toLowerCase()] = value;
  }
  return { name, path, method, headers, body };
}

function bodyOf(data: string | undefined): Buffer | undefined {
  if (data === undefined || !data.startsWith('@')) return data === undefined ? undefined : Buffer.from(data);
  try {
    return readFileSync(data === '@-' ? 0 : data.slice(1));
  } catch (cause) {
    throw new CliError('bad-file', 'the body cannot be read', { cause, next: 'name a file: -d @FILE' });
  }
}

/** What the gateway said of itself is told apart from what the service said. */
function callFailed(name: string, status: number, own: string | undefined): CliError {
  if (own === undefined)
    return new CliError('call-failed', `the endpoint itself answered with status ${status}`, {
      next: `see \`ringfence logs ${name}\``,
    });
  if (own === 'not-released')
    return notReleased('endpoint', 'the owner of the data behind this endpoint has not released its answers');
  const next =
    own === 'scaled-to-zero'
      ? `ringfence endpoint scale ${name} auto, or a number`
      : `see \`ringfence status ${name}\``;
  return new CliError('call-failed', `the gateway answered, not the endpoint: ${own}, status ${status}`, { next });
}

async function showAsItComes(body: Readable, raw: boolean): Promise<void> {
  const { stream, end } = inFrontOf(process.stdout, raw);
  let last: number | undefined;
  try {
    for await (const part of body as AsyncIterable<Buffer>) {
      last = part.at(-1) ?? last;
      if (!stream.write(part)) await once(stream, 'drain');
    }
    if (needsLineEnd(last, process.stdout.isTTY, raw)) stream.write('\n');
  } finally {
    await end();
  }
}

/** Whether what follows an answer would stand behind its last line; a file or a pipe, and who asked for it raw, gets the answer alone. */
export function needsLineEnd(last: number | undefined, terminal: boolean, raw: boolean): boolean {
  return terminal && !raw && last !== undefined && last !== LINE_FEED;
}

async function showAsJson(
  { terminal }: CommandContext,
  { body, type, ...more }: { status: number; type: string | undefined; gateway: string | null; body: Readable },
): Promise<void> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > LARGEST_JSON)
      throw new CliError('call-failed', 'the answer is too large for one line of JSON', {
        next: 'leave out --json: then it streams to standard output',
      });
    parts.push(part);
  }
  terminal.value({ ...more, type: type ?? null, body: Buffer.concat(parts).toString('utf8') });
}
