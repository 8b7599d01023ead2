import { linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Who holds a folder. A process id alone is not enough: ids are used again. */
interface Holder {
  readonly pid: number;
  /** Clock ticks after boot at which the process started (proc(5), field 22). */
  readonly started: string;
  readonly boot: string;
}

/** Lets go of a folder; or why it is not held: another living process holds it, or this system has no /proc to tell processes apart by. */
export type HeldFolder = (() => void) | 'in-use' | 'no-proc';

const NAME = /^lock\.(\d{1,15})$/;
const ATTEMPTS = 64;

/**
 * Takes a folder for this process until it ends or calls the returned function.
 *
 * Locks are numbered files and the highest number holds. A file of the next number is linked into place with its
 * content, which fails when it exists, and only a holder removes lower numbers; so of all processes that find a dead
 * holder, one wins, and no removal can hit a live one. A process in another pid namespace cannot be judged and counts
 * as dead. With `displaces`, a living holder is treated as a dead one.
 */
export function holdFolder(folder: string, options: { displaces?: boolean } = {}): HeldFolder {
  const mine = holderOf(process.pid);
  if (mine === undefined) return 'no-proc';
  const draft = join(folder, `lock-draft.${process.pid}.${heldCount}`);
  heldCount += 1;
  writeFileSync(draft, JSON.stringify(mine), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const taken = tryNext(folder, draft, options.displaces === true);
      if (taken === 'in-use') return 'in-use';
      if (taken !== 'moved') return () => rmSync(taken.path, { force: true });
    }
    return 'in-use';
  } finally {
    rmSync(draft, { force: true });
  }
}

let heldCount = 0;

/** The lock when it is ours now; `moved` when another process was faster. */
function tryNext(folder: string, draft: string, displaces: boolean): { readonly path: string } | 'in-use' | 'moved' {
  const newest = numbersIn(folder)[0] ?? 0;
  if (newest > 0 && !displaces && isAlive(readHolder(pathOf(folder, newest)))) return 'in-use';
  const path = pathOf(folder, newest + 1);
  try {
    linkSync(draft, path);
  } catch {
    return 'moved';
  }
  const [highest = 0, ...lower] = numbersIn(folder);
  if (highest !== newest + 1) {
    rmSync(path, { force: true });
    return 'moved';
  }
  for (const number of lower) rmSync(pathOf(folder, number), { force: true });
  return { path };
}

function pathOf(folder: string, number: number): string {
  return join(folder, `lock.${number}`);
}

function numbersIn(folder: string): number[] {
  return readdirSync(folder)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => b - a);
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder | undefined): boolean {
  if (holder === undefined) return false;
  const now = holderOf(holder.pid);
  return now !== undefined && now.started === holder.started && now.boot === holder.boot;
}

/** The live process with this id; undefined for none, and for one that has ended and only waits to be reaped. */
function holderOf(pid: number): Holder | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in parentheses that may contain anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, started] = [fields[0], fields[19]];
    if (started === undefined || state === 'Z' || state === 'X') return undefined;
    return { pid, started, boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() };
  } catch {
    return undefined;
  }
}
