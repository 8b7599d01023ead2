import { Readable, type Writable } from 'node:stream';
import { jsonOf } from '@ringfence/base';
import { ClientError } from '@ringfence/client/error';
import { streamPayload, type PayloadAgent } from '@ringfence/client/payload-link';
import { errorAnswer } from '@ringfence/protocol/api';
import { ENTRY_FRAMES, entryExit, type EntryHead } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command.ts';
import { notReleased } from '../release/not-released.ts';
import type { Session } from '../session.ts';
import { withAgent } from './agent-client.ts';
import { whichRunning } from './which-job.ts';

/** Most bytes of a piece of output, and of a refusal; agents send what a pipe gives at once, 64 KiB. */
const LARGEST_PIECE = 1_048_576;

/** Streams of a command that runs in a job's sandbox. */
export interface EntryStreams {
  readonly stdin: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  readonly stdout: Writable;
  readonly stderr: Writable;
}

/** Runs `head` in the sandbox of the job's newest attempt and returns its exit status. Throws CliError when it may not, or cannot. */
export async function enterJob(
  context: CommandContext,
  session: Session,
  { word, head }: { word: string; head: EntryHead },
  streams: EntryStreams,
): Promise<number> {
  const job = await whichRunning(session, word);
  const newest = (await session.controlPlane.job(job)).attempts.at(-1);
  if (newest === undefined)
    throw new CliError('not-found', 'the job has not run yet', { next: `ringfence status ${word}` });
  return withAgent(context, session, newest.agent, (link) =>
    exchange(link, `/v1/jobs/${job}/enter?attempt=${newest.attempt}`, head, streams),
  );
}

async function exchange(link: PayloadAgent, path: string, head: EntryHead, streams: EntryStreams): Promise<number> {
  const stream = Readable.from(sent(head, streams.stdin), { objectMode: false });
  const answer = await streamPayload(link, { method: 'POST', path, body: { stream }, idleWithin: 120_000 });
  try {
    if (answer.status !== 200) throw refusal(await textOf(answer.body));
    return await receive(answer.body, streams);
  } finally {
    stream.destroy();
    answer.body.destroy();
  }
}

async function* sent(head: EntryHead, stdin: EntryStreams['stdin']): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`${JSON.stringify(head)}\n`);
  yield* stdin;
}

async function receive(body: Readable, { stdout, stderr }: EntryStreams): Promise<number> {
  let waiting = Buffer.alloc(0);
  for await (const chunk of body) {
    waiting = Buffer.concat([waiting, chunk as Buffer]);
    if (waiting.length >= 5 && waiting.readUInt32BE(1) > LARGEST_PIECE)
      throw new ClientError('bad-response', 'the agent sends more at once than it may');
    while (waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt32BE(1)) {
      const [kind, length] = [waiting.readUInt8(), waiting.readUInt32BE(1)];
      const bytes = waiting.subarray(5, 5 + length);
      if (kind === ENTRY_FRAMES.exit) return entryExit.parse(JSON.parse(bytes.toString('utf8'))).code;
      if (kind === ENTRY_FRAMES.out) await write(stdout, bytes);
      if (kind === ENTRY_FRAMES.err) await write(stderr, bytes);
      waiting = waiting.subarray(5 + length);
    }
  }
  throw new CliError('job-failed', 'the link ended before the command did', { next: 'see `ringfence status`' });
}

function write(to: Writable, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => to.write(bytes, (error) => (error ? reject(error) : resolve())));
}

async function textOf(body: Readable): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of body) {
    length += (part as Buffer).length;
    if (length > LARGEST_PIECE) break;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

function refusal(text: string): CliError {
  const parsed = errorAnswer.safeParse(jsonOf(text));
  const { code, message } = parsed.success ? parsed.data.error : { code: '', message: 'the agent refused' };
  if (code === 'not-released') return notReleased('exec or copy', message);
  return new CliError('not-found', message, { next: 'see `ringfence status`' });
}
