import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, RingfenceError, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import packageFile from '../package.json' with { type: 'json' };
import { CliError } from './cli-error.ts';
import type { Command } from './command.ts';
import { jsonLine, processTerminal, shown } from './terminal.ts';
import { unknownFlag } from './unknown-flag.ts';
import { nearestVerbs, VERBS } from './verbs.ts';

const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

/** As a shell counts a program that SIGPIPE ended: `| head` has read what it wanted. */
const NOBODY_READS = 141;

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(NOBODY_READS);
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = report(error, process.argv.includes('--json'));
}

async function main(args: readonly string[]): Promise<number> {
  const [first = '', second = ''] = args;
  if (first === '' || first === '--help' || first === '-h' || first === 'help') {
    process.stdout.write(await overview());
    return 0;
  }
  if (first === '--version') {
    process.stdout.write(`${packageFile.version}\n`);
    return 0;
  }
  const verb = `${first} ${second}` in VERBS ? `${first} ${second}` : first;
  const load = VERBS[verb];
  if (load === undefined)
    throw new CliError('usage', 'there is no such command', {
      next: await nextFor(args.filter((word) => !word.startsWith('-'))),
    });
  const { command } = await load();
  await run(verb, command, args.slice(verb.split(' ').length));
  // `exec` ends as its command did.
  return Number(process.exitCode ?? 0);
}

async function run(verb: string, command: Command, rest: readonly string[]): Promise<void> {
  const { values, positionals } = read(verb, command, rest);
  if (values['help'] === true) {
    process.stdout.write(`ringfence ${verb} ${command.usage}\n\n${command.summary}\n`);
    return;
  }
  const [least, most] = command.words;
  if (positionals.length < least || positionals.length > most)
    throw new CliError('usage', `ringfence ${verb} takes other words`, { next: `ringfence ${verb} ${command.usage}` });
  const home = process.env['RINGFENCE_HOME'] ?? join(homedir(), '.config', 'ringfence');
  const terminal = processTerminal(values['json'] === true);
  const steps: (() => void)[] = [];
  const afterwards = (step: () => void): void => void steps.push(step);
  const context = { terminal, clock: systemClock, rng: systemRng, home, stdin: process.stdin, afterwards };
  await command.run(context, positionals, values);
  for (const step of steps) step();
}

function read(verb: string, command: Command, args: readonly string[]) {
  const options = { ...COMMON, ...command.options };
  const unknown = unknownFlag(args, options);
  if (unknown !== undefined)
    throw new CliError('usage', `ringfence ${verb} has no ${unknown.flag}`, {
      next: unknown.nearest === undefined ? `ringfence ${verb} ${command.usage}` : `did you mean ${unknown.nearest}?`,
    });
  try {
    return parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: true,
    });
  } catch (cause) {
    throw new CliError('usage', messageOf(cause), { cause, next: `ringfence ${verb} ${command.usage}` });
  }
}

async function overview(): Promise<string> {
  const rows = await Promise.all(
    Object.entries(VERBS).map(async ([verb, load]) => `  ${verb.padEnd(18)} ${(await load()).command.summary}`),
  );
  return `ringfence COMMAND [--json] [--help]\n\n${rows.join('\n')}\n\nRINGFENCE_HOME names the folder of the profile (~/.config/ringfence).\n`;
}

async function nextFor(words: readonly string[]): Promise<string> {
  const near = await nearestVerbs(words);
  return near.length === 0 ? 'see ringfence --help' : `did you mean ${near.join(', ')}?`;
}

/** Says what failed and what to do next; the exit code tells a wrong call (2) from a refusal (1). */
function report(error: unknown, json: boolean): number {
  const { code, message, next, problems } = explain(error);
  if (json) process.stderr.write(`${jsonLine({ error: { code, message, next, problems } })}\n`);
  else {
    const text = `ringfence: ${message} (${code})\n${next === undefined ? '' : `  ${next}\n`}`;
    process.stderr.write(process.stderr.isTTY ? shown(text) : text);
  }
  return code === 'usage' ? 2 : 1;
}

interface Explained {
  readonly code: string;
  readonly message: string;
  readonly next?: string | undefined;
  readonly problems?: readonly unknown[] | undefined;
}

function explain(error: unknown): Explained {
  if (error instanceof RingfenceError) {
    const { code, message, next } = error;
    return {
      code,
      message,
      next,
      problems: 'problems' in error && Array.isArray(error.problems) ? error.problems : undefined,
    };
  }
  // What the operating system refuses (a full disk, a missing right) is no bug: its own words, without a stack.
  if (error instanceof Error && 'syscall' in error) return { code: 'system', message: error.message };
  return { code: 'bug', message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
