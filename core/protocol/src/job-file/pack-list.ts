import { packPath } from '../payload/pack.ts';
import { workdirIgnore, type IgnoreFile, type Leaves } from './workdir-ignore.ts';
import { linkStays } from '../payload/pack-link.ts';

/** One thing that lies in a workdir. */
export interface WorkdirEntry {
  /** Relative to the workdir, steps separated by `/`. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink' | 'device' | 'socket' | 'fifo';
  /** Bytes of a file, 0 for everything else. */
  readonly size: number;
  /** Where a symbolic link points, as it is written. */
  readonly linkTarget?: string;
}

/** Why a workdir cannot travel. */
export type PackRefusalCode =
  | 'ignore-file'
  | 'unsafe-path'
  | 'duplicate'
  | 'link-outside'
  | 'below-link'
  | 'special-file'
  | 'too-many'
  | 'too-large';

/** One reason; `path` is a name of the user's own disk with control characters taken out. */
export interface PackRefusal {
  readonly code: PackRefusalCode;
  readonly path: string;
  readonly message: string;
}

/** What travels, in the order of path bytes; or every reason why nothing does. */
export type PackDecision<Entry extends WorkdirEntry> =
  | { readonly allow: true; readonly entries: readonly Entry[]; readonly left: number; readonly bytes: number }
  | { readonly allow: false; readonly reasons: readonly PackRefusal[] };

/** What a pack may hold. */
export interface PackLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** 20,000 files and links, 512 MiB: more is data, and data belongs into a dataset. */
export const PACK_LIMITS: PackLimits = { entries: 20_000, bytes: 512 * 2 ** 20 };

const MAX_REASONS = 100;

/**
 * Chooses the files and links of a workdir that travel with its job: what `.gitignore` and `.ringfenceignore` leave, never
 * `.git` or `.ringfence`. Refuses paths and links that leave the workdir, special files, and packs above `limits`; folders
 * travel as the paths of their files.
 */
export function packList<Entry extends WorkdirEntry>(
  entries: readonly Entry[],
  ignoreFiles: readonly IgnoreFile[],
  limits: PackLimits = PACK_LIMITS,
): PackDecision<Entry> {
  const leaves = workdirIgnore(ignoreFiles);
  if (leaves === undefined) {
    return {
      allow: false,
      reasons: [refusal('ignore-file', '', 'the ignore files hold too many or too wild patterns')],
    };
  }
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  const kept = entries.filter((entry) => !isBelow(entry.path) || !isLeft(entry, leaves));
  const reasons = [...repeated(kept), ...kept.flatMap((entry) => refuseEntry(entry, byPath))];
  const travelling = kept.filter(({ kind }) => kind === 'file' || kind === 'symlink');
  const bytes = travelling.reduce((sum, { kind, size }) => sum + (kind === 'file' ? size : 0), 0);
  reasons.push(...aboveLimits(travelling.length, bytes, limits));
  if (reasons.length > 0) return { allow: false, reasons: reasons.slice(0, MAX_REASONS) };
  return { allow: true, entries: travelling.sort(byBytes), left: entries.length - kept.length, bytes };
}

/** Whether `path` has the form that ignore rules speak of; it may still hold characters that cannot travel. */
function isBelow(path: string): boolean {
  return path.split('/').every((step) => step !== '' && step !== '.' && step !== '..');
}

function isLeft({ path, kind }: WorkdirEntry, leaves: Leaves): boolean {
  return leaves(path, kind === 'directory' ? 'folder' : 'other');
}

function refuseEntry(entry: WorkdirEntry, byPath: ReadonlyMap<string, WorkdirEntry>): PackRefusal[] {
  const { path, kind, linkTarget = '' } = entry;
  if (!packPath.safeParse(path).success || /\p{Surrogate}/u.test(path)) {
    return [refusal('unsafe-path', path, 'not a plain path below the workdir')];
  }
  const found: PackRefusal[] = [];
  const steps = path.split('/');
  const links = steps
    .slice(0, -1)
    .some((_, index) => byPath.get(steps.slice(0, index + 1).join('/'))?.kind === 'symlink');
  if (links) found.push(refusal('below-link', path, 'lies behind a symbolic link'));
  if (kind === 'symlink' && !linkStays(path, linkTarget, byPath)) {
    found.push(
      refusal('link-outside', path, 'a symbolic link that leaves the workdir; copy the file or ignore the link'),
    );
  }
  if (kind === 'device' || kind === 'socket' || kind === 'fifo') {
    found.push(refusal('special-file', path, 'a device, socket or pipe cannot travel; add it to .ringfenceignore'));
  }
  if (kind === 'file' && !Number.isSafeInteger(entry.size))
    found.push(refusal('too-large', path, 'has no usable size'));
  return found;
}

function repeated(entries: readonly WorkdirEntry[]): PackRefusal[] {
  const seen = new Set<string>();
  return entries.flatMap(({ path }) => {
    if (seen.has(path)) return [refusal('duplicate', path, 'stands in the workdir twice')];
    seen.add(path);
    return [];
  });
}

function aboveLimits(count: number, bytes: number, limits: PackLimits): PackRefusal[] {
  const found: PackRefusal[] = [];
  const advice = 'leave files out with .ringfenceignore, and give data to the custodian as a dataset';
  if (count > limits.entries) {
    found.push(refusal('too-many', '', `${count} files, at most ${limits.entries} travel: ${advice}`));
  }
  if (bytes > limits.bytes)
    found.push(refusal('too-large', '', `${bytes} bytes, at most ${limits.bytes} travel: ${advice}`));
  return found;
}

function refusal(code: PackRefusalCode, path: string, message: string): PackRefusal {
  return { code, path: path.replace(/[\p{Cc}\p{Cf}\p{Surrogate}]/gu, '?').slice(0, 256), message };
}

function byBytes(a: WorkdirEntry, b: WorkdirEntry): number {
  return Buffer.compare(Buffer.from(a.path), Buffer.from(b.path));
}
