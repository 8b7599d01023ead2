import ignore from 'ignore';

/** One `.gitignore` or `.ringfenceignore`; `path` is its own, relative to the workdir. */
export interface IgnoreFile {
  readonly path: string;
  readonly text: string;
}

/** Says whether a path of the workdir stays behind; a folder that does takes all below it along. */
export type Leaves = (path: string, kind: 'folder' | 'other') => boolean;

/** Never part of a job: history holds what was deleted, and state folders hold keys. */
const NEVER = new Set(['.git', '.ringfence']);
const MAX_PATTERNS = 10_000;
// Each run of stars multiplies the time that a match can take.
const MAX_WILDCARDS = 6;

/**
 * The rules of gitignore(5) over a whole workdir: deeper files win over shallower ones, later lines over earlier ones, and
 * `.ringfenceignore` files over all `.gitignore` files. Undefined when a file has more patterns, or a pattern more stars, than
 * can be matched in bounded time.
 */
export function workdirIgnore(files: readonly IgnoreFile[]): Leaves | undefined {
  const patterns = [...ofKind(files, '.gitignore'), ...ofKind(files, '.ringfenceignore')].flatMap(anchoredPatterns);
  if (patterns.length > MAX_PATTERNS || patterns.some(isExpensive)) return undefined;
  const rules = ignore({ ignorecase: false }).add(patterns);
  return (path, kind) => {
    if (path.split('/').some((step) => NEVER.has(step))) return true;
    return rules.ignores(kind === 'folder' ? `${path}/` : path);
  };
}

function ofKind(files: readonly IgnoreFile[], name: string): IgnoreFile[] {
  const depth = ({ path }: IgnoreFile): number => path.split('/').length;
  return files.filter(({ path }) => path.split('/').at(-1) === name).sort((a, b) => depth(a) - depth(b));
}

/** The patterns of one file, rewritten so that they mean the same in the root of the workdir. */
function anchoredPatterns({ path, text }: IgnoreFile): string[] {
  const lines = text
    .replace(/^\u{feff}/u, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const folder = path.split('/').slice(0, -1);
  if (folder.length === 0) return lines;
  const prefix = folder.map((step) => step.replace(/[\\*?[\]!# ]/g, String.raw`\$&`)).join('/');
  return lines.map((line) => {
    const negated = line.startsWith('!') ? '!' : '';
    const pattern = line.slice(negated.length);
    // A pattern with a slash before its end is tied to its folder; another matches at any depth below it.
    const tied = pattern.replace(/\/\s*$/, '').includes('/');
    return `${negated}/${prefix}/${tied ? pattern.replace(/^\//, '') : `**/${pattern}`}`;
  });
}

function isExpensive(pattern: string): boolean {
  return pattern.length > 1024 || (pattern.match(/\*+/g) ?? []).length > MAX_WILDCARDS;
}
