import type { PruneKept, pruneRequest } from '@ringfence/protocol/payload';
import type { z } from 'zod';

/** What is to be removed. */
export type PruneWish = z.output<typeof pruneRequest>;

/** What the choice of versions depends on. */
export interface ChosenFrom {
  readonly artifact: string;
  readonly name: string;
  readonly version: number;
  readonly at: number;
}

/** Versions that go, and those that would go but for a reason. */
export interface Choice<Version> {
  readonly removed: readonly Version[];
  readonly kept: readonly { readonly version: Version; readonly reason: PruneKept }[];
}

/**
 * Which of `versions` a wish removes: of each artifact all but the newest `keep`, of those the ones that are old enough; never the newest one,
 * unless its number is named, and never one that a job which is not over mounts.
 */
export function chooseVersions<Version extends ChosenFrom>(
  versions: readonly Version[],
  wish: PruneWish,
  { isMounted, now }: { isMounted: (version: Version) => boolean; now: number },
): Choice<Version> {
  const removed: Version[] = [];
  const kept: { version: Version; reason: PruneKept }[] = [];
  for (const version of versions) {
    if (wish.names.length > 0 && !wish.names.includes(version.name)) continue;
    const newer = versions.filter((other) => other.artifact === version.artifact && other.version > version.version);
    if (wish.version === undefined ? !isAsked(version, newer.length, wish, now) : wish.version !== version.version)
      continue;
    if (wish.version === undefined && newer.length === 0) kept.push({ version, reason: 'newest' });
    else if (isMounted(version)) kept.push({ version, reason: 'mounted' });
    else removed.push(version);
  }
  return { removed, kept };
}

function isAsked({ at }: ChosenFrom, newer: number, { keep, olderThanMs }: PruneWish, now: number): boolean {
  if (keep === undefined && olderThanMs === undefined) return false;
  return newer >= (keep ?? 0) && (olderThanMs === undefined || at < now - olderThanMs);
}
