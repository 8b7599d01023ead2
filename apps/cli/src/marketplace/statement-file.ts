import { readFileSync } from 'node:fs';
import { epochMs, parseDuration, type EpochMs } from '@ringfence/base';
import { statementDigest, type Envelope } from '@ringfence/crypto/sign';
import { KeyringError, parseEnvelope, readStatement } from '@ringfence/keyring';
import { jurisdiction } from '@ringfence/protocol';
import type { StatementBody, StatementName } from '@ringfence/protocol/statements';
import { CliError } from '../cli-error.ts';
import { text, texts, type CommandContext, type Flags } from '../command.ts';
import { writeNewFile } from '../new-file.ts';
import { KEY_FLAGS } from './key-file.ts';

/** Flags of commands that sign a statement which holds for a time. */
export const STATEMENT_FLAGS = { valid: { type: 'string' }, out: { type: 'string' }, ...KEY_FLAGS } as const;
/** Flags of commands that sign papers: they name places too. */
export const PAPER_FLAGS = { jurisdiction: { type: 'string', multiple: true }, ...STATEMENT_FLAGS } as const;

/** A statement of a file; nobody has verified it. Throws CliError `bad-file`. */
export function readStatementFile<Name extends StatementName>(
  name: Name,
  path: string,
): { readonly envelope: Envelope; readonly claimed: StatementBody<Name> } {
  try {
    const envelope = parseEnvelope(JSON.parse(readFileSync(path, 'utf8')));
    return { envelope, claimed: readStatement(name, envelope).claimed };
  } catch (cause) {
    throw new CliError('bad-file', `${path} holds no statement of the kind \`${name}\``, {
      cause,
      next: 'take the file as the command that made it wrote it',
    });
  }
}

/** Writes a statement into a new file, or says it on stdout where no `--out` is given. Throws CliError `usage`, `bad-file`. */
export function giveStatement(
  { terminal }: CommandContext,
  flags: Flags,
  make: () => Envelope,
  more: Readonly<Record<string, string>> = {},
): void {
  const envelope = signed(make);
  const out = text(flags, 'out');
  const digest = statementDigest(envelope);
  if (out === undefined) {
    if (terminal.json) return terminal.value({ ...more, digest, statement: envelope });
    return terminal.raw(`${JSON.stringify(envelope)}\n`);
  }
  writeNewFile(out, `${JSON.stringify(envelope)}\n`);
  terminal.value({ ...more, digest, file: out });
  terminal.line(
    `wrote ${out}${Object.entries(more)
      .map(([name, value]) => `; ${name}: ${value}`)
      .join('')}`,
  );
}

/** From now, for as long as `--valid` says. Throws CliError `usage`. */
export function spanOf({ clock }: CommandContext, flags: Flags, usual: string): { from: EpochMs; until: EpochMs } {
  const validMs = parseDuration(text(flags, 'valid') ?? usual);
  if (validMs === undefined) throw new CliError('usage', '--valid is no duration', { next: 'write it as 90d' });
  const from = clock.now();
  return { from, until: epochMs(from + validMs) };
}

/** One or two places. Throws CliError `usage`. */
export function placesOf(flags: Flags): string[] {
  const places = texts(flags, 'jurisdiction');
  if (places.length < 1 || places.length > 2 || places.some((place) => !jurisdiction.safeParse(place).success))
    throw new CliError('usage', '--jurisdiction is missing, or no country', {
      next: 'write two capital letters such as DE, or EU or EEA; two at most',
    });
  return places;
}

function signed(make: () => Envelope): Envelope {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause;
    throw new CliError('usage', 'what is to be signed is not complete, or not of the declared form', { cause });
  }
}
