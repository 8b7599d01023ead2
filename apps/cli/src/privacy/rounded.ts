/** A bound on what was spent with so many decimals, never below it. */
export function roundedUp(value: number, decimals: number): string {
  return beyond(value, decimals, (told) => told < value, 1);
}

/** What is left with so many decimals, never above it. */
export function roundedDown(value: number, decimals: number): string {
  return beyond(value, decimals, (told) => told > value, -1);
}

function beyond(value: number, decimals: number, isShort: (told: number) => boolean, step: 1 | -1): string {
  const nearest = value.toFixed(decimals);
  return isShort(Number(nearest)) ? (Number(nearest) + step / 10 ** decimals).toFixed(decimals) : nearest;
}
