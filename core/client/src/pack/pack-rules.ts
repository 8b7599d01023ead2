import { posix } from 'node:path';
import { linkStays, packPath, type PackManifest } from '@ringfence/protocol/payload';

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
  if (linkOutside(links) !== undefined) return 'a link leads out of the pack';
  const whole = files.every(({ size, chunks }) => chunks.reduce((sum, chunk) => sum + chunk.size, 0) === size);
  return whole ? undefined : 'a file is not as long as its chunks';
}

/** Whether a path can stand in a pack. */
export function isPackPath(path: string): boolean {
  return packPath.safeParse(path).success;
}

/** The first link that leads out of the pack, by itself or through others. */
export function linkOutside(links: readonly Link[]): Link | undefined {
  const steps = new Map(links.map(({ path, target }) => [path, { kind: 'symlink', linkTarget: target }]));
  return links.find(({ path, target }) => !linkStays(path, target, steps));
}
