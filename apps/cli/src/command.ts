import type { Clock, Rng } from '@ringfence/base';
import type { ParseArgsConfig } from 'node:util';
import type { Terminal } from './terminal.ts';

/** What every command is given. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Folder of the profile: RINGFENCE_HOME, else ~/.config/ringfence. */
  readonly home: string;
  readonly stdin: NodeJS.ReadStream;
  /** Runs something once the command is done and has said what it had to. */
  readonly afterwards?: ((run: () => void) => void) | undefined;
}

/** Flags as given; booleans are true or absent. */
export type Flags = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

/** One verb of the CLI. */
export interface Command {
  /** What stands behind the verb in the usage line. */
  readonly usage: string;
  /** One line for `--help`. */
  readonly summary: string;
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Least and most positional words. */
  readonly words: readonly [number, number];
  readonly run: (context: CommandContext, words: readonly string[], flags: Flags) => Promise<void>;
}

/** A text flag's value, or undefined. */
export function text(flags: Flags, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** All values of a repeatable text flag. */
export function texts(flags: Flags, name: string): string[] {
  const value = flags[name];
  if (Array.isArray(value)) return value.filter((item) => typeof item === 'string');
  return typeof value === 'string' ? [value] : [];
}
