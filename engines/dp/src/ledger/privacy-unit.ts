/** Whose presence in the data is hidden: one row, all rows of one person (by a column, at most `mostRows` count), or all that an organisation has. */
export type PrivacyUnit =
  | { readonly kind: 'record' }
  | { readonly kind: 'person'; readonly column: string; readonly mostRows: number }
  | { readonly kind: 'organisation' };

/**
 * Whether what hides each `given` hides each `wanted` as well, with the same events: who hides all rows of a person hides each of them. The other
 * way round it does not follow, nor between people that different columns name.
 */
export function hides(given: PrivacyUnit, wanted: PrivacyUnit): boolean {
  if (given.kind === 'organisation' || wanted.kind === 'record') return true;
  return given.kind === 'person' && wanted.kind === 'person' && given.column === wanted.column;
}

/** A unit in words, such as `person (patient)`. */
export function unitText(unit: PrivacyUnit): string {
  return unit.kind === 'person' ? `person (${unit.column})` : unit.kind;
}
