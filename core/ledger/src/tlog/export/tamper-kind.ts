/** What was done to a log where it first differs from what was signed. */
export type TamperKind = 'changed' | 'deleted' | 'inserted' | 'reordered';

/** What should have been there from the first difference on; no value twice. */
export interface Expected<T> {
  /** Undefined where nothing more should have been there. */
  readonly first: T | undefined;
  readonly length: number;
  includes(value: T): boolean;
}

/** What turned the expected into `found`, which begins where they first differ. Several changes at once are named after the first. */
export function tamperKind<T>(found: readonly T[], expected: Expected<T>): TamperKind {
  const [first] = found;
  if (first === undefined) return 'deleted';
  if (expected.first === undefined) return 'inserted';
  const comesLater = found.includes(expected.first);
  const movedForward = expected.includes(first);
  if (comesLater && movedForward) {
    if (found.length === expected.length) return 'reordered';
    return found.length > expected.length ? 'inserted' : 'deleted';
  }
  if (comesLater) return 'inserted';
  return movedForward ? 'deleted' : 'changed';
}
