/** Versions of the control link that this release speaks; frames carry them as their first byte. */
export const CONTROL_VERSIONS = { min: 1, max: 1 } as const;

/** The newest version that both ends speak; undefined when there is none. */
export function negotiateVersion(theirs: { readonly min: number; readonly max: number }): number | undefined {
  const newest = Math.min(CONTROL_VERSIONS.max, theirs.max);
  return newest >= Math.max(CONTROL_VERSIONS.min, theirs.min) ? newest : undefined;
}
