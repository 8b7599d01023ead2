/** A replica as the balancer sees it. */
export interface Candidate {
  readonly inFlight: number;
  /** Most requests at once. */
  readonly most: number;
  readonly usable: boolean;
}

/**
 * The one with the fewest requests in flight of two drawn at random (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
 * 2001) of those that take one more; undefined when none does. `draw(n)` is uniform in [0, n).
 */
export function chooseReplica<T extends Candidate>(
  candidates: readonly T[],
  draw: (below: number) => number,
): T | undefined {
  const open = candidates.filter(({ usable, inFlight, most }) => usable && inFlight < most);
  if (open.length < 2) return open[0];
  const first = draw(open.length);
  // Another than the first, each as likely.
  const second = (first + 1 + draw(open.length - 1)) % open.length;
  const [a, b] = [open[first], open[second]];
  return a !== undefined && b !== undefined && b.inFlight < a.inFlight ? b : a;
}
