import { createReadStream, createWriteStream, existsSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, join, posix, resolve } from 'node:path';
import { PassThrough, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { EntryHead } from '@ringfence/protocol/payload';
import { sandboxPath } from '@ringfence/protocol/payload';
import { CliError } from '../cli-error.ts';
import type { Command, CommandContext } from '../command.ts';
import { enterJob, type EntryStreams } from '../job/enter-job.ts';
import { withSession } from '../session.ts';
import { inFrontOf } from '../terminal-stream.ts';

export const command: Command = {
  usage: 'JOB:/PATH FILE | FILE JOB:/PATH',
  summary: 'copy one file from, or to, the sandbox of a running job',
  options: {},
  words: [2, 2],
  async run(context, [from = '', to = '']) {
    const [source, target] = [placeIn(from), placeIn(to)];
    if ((source === undefined) === (target === undefined))
      throw new CliError('usage', 'one side is JOB:/PATH and the other a file here', {
        next: `ringfence cp ${this.usage}`,
      });
    if (source !== undefined) await copyOut(context, source, fileFor(to, source.path));
    else if (target !== undefined) await copyIn(context, from, target);
  },
};

interface Place {
  readonly word: string;
  readonly path: string;
}

/** `JOB:/path`; a file here has no `:/` in its name, or is written with `./` before it. */
function placeIn(text: string): Place | undefined {
  const at = text.indexOf(':/');
  if (at < 1 || text.startsWith('.') || text.startsWith('/')) return undefined;
  const path = text.slice(at + 1);
  if (sandboxPath.safeParse(path).success) return { word: text.slice(0, at), path };
  throw new CliError('usage', 'the path in the job is absolute, without . and .. steps', {
    next: 'such as JOB:/out/model',
  });
}

function fileFor(to: string, path: string): string {
  const target = resolve(to);
  return existsSync(target) && statSync(target).isDirectory() ? join(target, posix.basename(path)) : target;
}

async function copyOut(context: CommandContext, { word, path }: Place, target: string): Promise<void> {
  const draft = `${target}.part`;
  const stdout = createWriteStream(draft, { flags: 'wx', mode: 0o600 });
  try {
    await run(context, word, { kind: 'copy-out', path }, { stdin: [], stdout });
    stdout.end();
    await finished(stdout);
    await rename(draft, target);
  } catch (error) {
    stdout.destroy();
    await rm(draft, { force: true });
    throw error;
  }
  context.terminal.value({ copied: target });
  context.terminal.line(target);
}

async function copyIn(context: CommandContext, file: string, { word, path }: Place): Promise<void> {
  if (!existsSync(file) || !statSync(file).isFile())
    throw new CliError('bad-file', `${basename(file)} is no file here`, {
      next: 'pack a folder first, with tar for one',
    });
  await run(
    context,
    word,
    { kind: 'copy-in', path },
    { stdin: createReadStream(file), stdout: new PassThrough().resume() },
  );
  context.terminal.value({ copied: path });
  context.terminal.line(`${word}:${path}`);
}

async function run(
  context: CommandContext,
  word: string,
  head: EntryHead,
  { stdin, stdout }: { stdin: EntryStreams['stdin']; stdout: Writable },
): Promise<void> {
  const err = inFrontOf(process.stderr, false);
  const code = await withSession(context, (session) =>
    enterJob(context, session, { word, head }, { stdin, stdout, stderr: err.stream }),
  ).finally(err.end);
  if (code !== 0) throw new CliError('bad-file', 'the file could not be copied', { next: 'the line above says why' });
}
