import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';

/** A link's folder below a state folder, by its place. */
export interface JournalFolder {
  readonly place: string;
  /** Path of the folder. */
  readonly folder: string;
  readonly sessions: string;
}

const DEEPEST = 4;

/** All journals of control links below a party's state folder; throws CliError `bad-file` when there is none. */
export function journalFolders(state: string): JournalFolder[] {
  const found = search(state, '', 0);
  if (found.length > 0) return found;
  throw new CliError('bad-file', `${state} holds no journal`, {
    next: 'name the state folder of an agent or a custodian: --state DIR',
  });
}

function search(state: string, place: string, depth: number): JournalFolder[] {
  const folder = join(state, place);
  if (depth > DEEPEST || !existsSync(folder)) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const here = entries.some((entry) => entry.isFile() && entry.name === 'journal.jsonl')
    ? [{ place, folder, sessions: join(folder, 'sessions.jsonl') }]
    : [];
  const below = entries
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) => search(state, join(place, entry.name), depth + 1));
  return [...here, ...below];
}
