import { parseSize } from '@ringfence/base';
import { refuse, text, type Place, type Read } from './read.ts';
import type { Tree } from './tree.ts';

/** A number or a range of numbers: `4` is {4, 4}, `4+` is {4, undefined}, `0..8` is {0, 8}. */
export interface Amount {
  readonly min: number;
  /** No more than this; undefined when open. */
  readonly max: number | undefined;
}

/** `4`, `4+` or `4..8`, each number read by `parse`; undefined for anything else. `0..8` with min > max is read as it stands. */
export function parseAmount(amount: string, parse: (text: string) => number | undefined): Amount | undefined {
  const [low = '', high, more] = amount.split('..');
  if (more !== undefined) return undefined;
  if (high !== undefined) {
    const min = parse(low);
    const max = parse(high);
    return min === undefined || max === undefined ? undefined : { min, max };
  }
  const open = low.endsWith('+');
  const min = parse(open ? low.slice(0, -1) : low);
  return min === undefined ? undefined : { min, max: open ? undefined : min };
}

interface Limits {
  readonly least: number;
  readonly most: number;
  /** Both ends in the spelling of the field. */
  readonly words: string;
}

/** An amount between `limits`; `expected` completes "this takes …". */
export function amount(parse: (text: string) => number | undefined, limits: Limits, expected: string): Read<Amount> {
  const read = text((value) => parseAmount(value, parse), expected);
  return (tree: Tree, place: Place) => {
    const found = read(tree, place);
    if (found === undefined) return undefined;
    const { min, max = min } = found;
    if (min > max) return refuse(place, { code: 'out-of-range', message: 'the range ends before it begins' });
    if (min >= limits.least && max <= limits.most) return found;
    return refuse(place, { code: 'out-of-range', message: `this takes ${limits.words}` });
  };
}

/** Thousandths of a CPU: `4`, `0.5`, `4+`, `2..8`. */
export const cpuMilli = amount(
  (value) => (/^\d{1,4}(?:\.\d{1,3})?$/.test(value) ? Math.round(Number(value) * 1000) : undefined),
  { least: 100, most: 1_024_000, words: '0.1 to 1024 CPUs' },
  'CPUs such as 4, 0.5, 4+ or 2..8',
);

/** Bytes of memory: `8GB`, `8GB+`, `8GB..16GB`. */
export const memoryBytes = amount(
  parseSize,
  { least: 16e6, most: 1e14, words: '16MB to 100TB' },
  'a size such as 8GB, 512MiB, 8GB+ or 8GB..16GB',
);

/** Bytes of disk: `50GB`, `50GB+`, `50GB..100GB`. */
export const diskBytes = amount(
  parseSize,
  { least: 1e6, most: 1e15, words: '1MB to 1000TB' },
  'a size such as 50GB, 50GiB, 50GB+ or 50GB..100GB',
);

/** A count without fraction: `2`, `1+`, `0..8`. */
export function countAmount(least: number, most: number): Read<Amount> {
  return amount(parseCount, { least, most, words: `${least} to ${most}` }, 'a number or range such as 2 or 0..8');
}

/** A whole number of at most six digits. */
export function parseCount(value: string): number | undefined {
  return /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}
