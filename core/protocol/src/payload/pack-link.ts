/** What a step of a path may be to a link. */
export interface LinkStep {
  readonly kind: string;
  readonly linkTarget?: string;
}

// Linux follows at most 40 links on one way (path_resolution(7)).
const MAX_HOPS = 40;
const MAX_TARGET = 1024;

/**
 * Whether the symbolic link at `path` with `target` stays in its folder, following other links of `entries` on the way as the
 * kernel does: `a/..` is not the folder of `a` when `a` is a link. A target that does not exist stays if its path does.
 */
export function linkStays(path: string, target: string, entries: ReadonlyMap<string, LinkStep>): boolean {
  if (!isRelative(target)) return false;
  const reached = path.split('/').slice(0, -1);
  const ahead = target.split('/').reverse();
  let hops = 0;
  for (let step = ahead.pop(); step !== undefined; step = ahead.pop()) {
    if (step === '' || step === '.') continue;
    if (step === '..') {
      if (reached.pop() === undefined) return false;
      continue;
    }
    reached.push(step);
    const next = entries.get(reached.join('/'));
    if (next?.kind !== 'symlink') continue;
    hops += 1;
    const onward = next.linkTarget ?? '';
    if (hops > MAX_HOPS || !isRelative(onward)) return false;
    reached.pop();
    ahead.push(...onward.split('/').reverse());
  }
  return true;
}

function isRelative(target: string): boolean {
  return target !== '' && target.length <= MAX_TARGET && !/^[/~]|\p{Cc}/u.test(target);
}
