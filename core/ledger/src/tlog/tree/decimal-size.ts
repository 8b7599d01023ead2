/** The number that decimal digits without further zeros spell; undefined for any other text, and above 2^53 - 1. */
export function parseSize(digits: string): number | undefined {
  if (!/^(0|[1-9]\d{0,15})$/.test(digits)) return undefined;
  const size = Number(digits);
  return Number.isSafeInteger(size) ? size : undefined;
}
