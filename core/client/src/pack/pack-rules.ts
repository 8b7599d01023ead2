import { posix } from 'node:path';
import { packPath, type PackManifest } from '@ringfence/protocol/payload';

/** A symbolic link of a pack. */
type Link = PackManifest['links'][number];

/**
 * What keeps a manifest of the right form from being laid out; undefined when nothing does. Every path stands once, none lies below a file or
 * a link, every link stays inside, and every file is as long as its chunks.
 */
export function manifestProblem({ files, links }: PackManifest): string | undefined {
  const leaves = new Set([...files, ...links].map(({ path }) => path));
  if (leaves.size !== files.length + links.length) return 'two entries have the same path';
  for (const path of leaves)
    for (let parent = posix.dirname(path); parent !== '.'; parent = posix.dirname(parent))
      if (leaves.has(parent)) return 'an entry lies below a file or a link';
  if (!links.every(linkStaysInside)) return 'a link leads out of the pack';
  const whole = files.every(({ size, chunks }) => chunks.reduce((sum, chunk) => sum + chunk.size, 0) === size);
  return whole ? undefined : 'a file is not as long as its chunks';
}

/** Whether a path can stand in a pack. */
export function isPackPath(path: string): boolean {
  return packPath.safeParse(path).success;
}

/**
 * Whether a link can stand in a pack. `..` may only lead its target: after another name, which may itself be a link, it would climb from
 * wherever that one leads.
 */
export function linkStaysInside({ path, target }: Link): boolean {
  if (target === '' || target.startsWith('/') || target.includes('\0')) return false;
  const steps = target.split('/').filter((step) => step !== '' && step !== '.');
  const up = steps.findIndex((step) => step !== '..');
  if (steps.slice(up === -1 ? steps.length : up).includes('..')) return false;
  const end = posix.normalize(posix.join(posix.dirname(path), target));
  return end !== '..' && !end.startsWith('../');
}
