/** Yes with what was decided, or no with every reason; decisions never throw for a no. */
export type Decision<Reason, Allowed extends object = object> =
  | ({ readonly allow: true } & Allowed)
  | { readonly allow: false; readonly reasons: readonly Reason[] };

/** Allows with `allowed` when there are no `reasons` against it. */
export function decide<Reason, Allowed extends object>(
  reasons: readonly Reason[],
  allowed: Allowed,
): Decision<Reason, Allowed> {
  return reasons.length === 0 ? { allow: true, ...allowed } : { allow: false, reasons };
}
