import { lstatSync, readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';
import { fromUtf8 } from '@ringfence/base';
import type { PackEntry } from '@ringfence/client/pack';
import { packPath } from '@ringfence/protocol/payload';
import { AgentError } from '../agent-error.ts';

/** What an output may hold at most. */
export interface OutputLimits {
  readonly files: number;
  readonly bytes: number;
  readonly depth: number;
}

/** Limits unless told. */
export const OUTPUT_LIMITS: OutputLimits = { files: 100_000, bytes: 1_000_000_000_000, depth: 64 };

/**
 * The regular files below `folder`, in order. The job is over, so nobody changes them any more; but the job chose what lies there.
 * Anything that is not a file or a folder is refused: a link could make the agent, which may be root, read another file into the results.
 * What lies at `without` is no part of it. Throws AgentError `bad-output`, which names the kind and not the path.
 */
export function collectOutput(
  folder: string,
  { without, ...limits }: OutputLimits & { readonly without?: string | undefined } = OUTPUT_LIMITS,
): readonly PackEntry[] {
  if (!lstatSync(folder).isDirectory()) throw refused('the output itself is no folder any more');
  const entries: PackEntry[] = [];
  let bytes = 0;
  const visit = (path: string, depth: number): void => {
    if (depth > limits.depth) throw refused('folders are nested too deeply');
    for (const { name, entry } of entriesOf(join(folder, path))) {
      const below = path === '' ? name : `${path}/${name}`;
      if (below === without) continue;
      if (entry.isDirectory()) {
        visit(below, depth + 1);
        continue;
      }
      const stat = lstatSync(join(folder, below));
      if (!stat.isFile()) throw refused(kindOf(entry));
      if (!packPath.safeParse(below).success) throw refused('a file has a name that a pack cannot carry');
      bytes += stat.size;
      entries.push({ kind: 'file', path: below, executable: (stat.mode & 0o100) !== 0 });
      if (entries.length > limits.files) throw refused('it holds too many files');
      if (bytes > limits.bytes) throw refused('it is too large');
    }
  };
  visit('', 0);
  return entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function entriesOf(folder: string): { name: string; entry: Dirent<Buffer> }[] {
  // As bytes: a name that is not UTF-8 would otherwise be read as another one.
  const entries = readdirSync(folder, { encoding: 'buffer', withFileTypes: true });
  return entries.map((entry) => ({ name: nameOf(entry.name), entry }));
}

function nameOf(name: Buffer): string {
  try {
    return fromUtf8(name);
  } catch {
    throw refused('a file has a name that is not UTF-8');
  }
}

function kindOf(entry: Dirent<Buffer>): string {
  if (entry.isSymbolicLink()) return 'a symbolic link lies in it';
  if (entry.isFIFO()) return 'a pipe lies in it';
  if (entry.isSocket()) return 'a socket lies in it';
  return 'a device lies in it';
}

function refused(problem: string): AgentError {
  return new AgentError('bad-output', `an output cannot be kept: ${problem}`, {
    next: 'let the job leave regular files and folders only',
  });
}
