import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * Takes the claim at `path` for `owner`: where there is none, or the one that is there is of nobody who lives. Of several processes that ask at the
 * same moment one gets it. A process that is killed between two of these steps leaves a claim that nobody takes any more; the folder is in memory,
 * and a start of the machine clears it.
 */
export function takeClaim(path: string, { owner, isAlive }: Claimant): boolean {
  if (linked(path, owner)) return true;
  if (isAlive(claimAt(path))) return false;
  // Only who holds this may replace a claim, so that what is looked at below is what is replaced.
  const turn = `${path}.taking`;
  if (!linked(turn, owner)) return false;
  try {
    if (isAlive(claimAt(path))) return false;
    renameSync(drafted(path, owner), path);
    return true;
  } finally {
    rmSync(turn, { force: true });
  }
}

/** Who takes a claim. */
export interface Claimant {
  /** What the claim says. */
  readonly owner: string;
  /** Whether who wrote a claim still lives; false for an empty one. */
  readonly isAlive: (claimed: string) => boolean;
}

/** A link appears whole or not at all, so nobody reads a half-written claim and takes it for a dead agent's. */
function linked(path: string, owner: string): boolean {
  const draft = drafted(path, owner);
  try {
    linkSync(draft, path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function drafted(path: string, owner: string): string {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, owner, { mode: 0o600 });
  return draft;
}

function claimAt(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
