// The Wisconsin breast cancer data: 569 fine needle aspirates, 30 measurements of the cell nuclei in each (DATA.md).
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const MEASUREMENTS = [
  'radius',
  'texture',
  'perimeter',
  'area',
  'smoothness',
  'compactness',
  'concavity',
  'concave points',
  'symmetry',
  'fractal dimension',
];

/** Names of the 30 columns: each measurement's mean, standard error and worst (mean of the three largest). */
export const FEATURES: readonly string[] = ['mean', 'error', 'worst'].flatMap((statistic) =>
  MEASUREMENTS.map((measurement) => `${statistic} ${measurement}`),
);

/** One aspirate: what was measured, and 1 when it was malignant, 0 when it was benign. */
export interface Row {
  readonly features: readonly number[];
  readonly malignant: 0 | 1;
}

/** Reads `breast-cancer.csv` in `folder`. Throws for a row that is not 30 numbers and a class; messages hold no values. */
export function readRows(folder: string): Row[] {
  const [header = '', ...lines] = readFileSync(join(folder, 'breast-cancer.csv'), 'utf8').trimEnd().split('\n');
  const [count, columns, first, second] = header.split(',');
  if (Number(columns) !== FEATURES.length || first !== 'malignant' || second !== 'benign') {
    throw new Error('breast-cancer.csv does not start with its rows, columns and classes');
  }
  if (Number(count) !== lines.length) throw new Error(`breast-cancer.csv has ${lines.length} rows, not as it says`);
  return lines.map(readRow);
}

function readRow(line: string, index: number): Row {
  const cells = line.split(',');
  // The file counts classes from 0: malignant, benign.
  const label = cells.pop();
  const features = cells.map(Number);
  if (features.length !== FEATURES.length || !features.every(Number.isFinite) || (label !== '0' && label !== '1')) {
    throw new Error(`row ${index + 1} is not ${FEATURES.length} numbers and a class`);
  }
  return { features, malignant: label === '0' ? 1 : 0 };
}

/** Two parts that share no row. */
export interface Split {
  readonly train: readonly Row[];
  readonly test: readonly Row[];
}

/** Holds out one row in five of each class, chosen by a shuffle that `seed` fixes. */
export function stratifiedSplit(rows: readonly Row[], seed: number): Split {
  const random = mulberry32(seed);
  const parts = ([1, 0] as const).map((malignant) => {
    const shuffled = shuffle(
      rows.filter((row) => row.malignant === malignant),
      random,
    );
    const held = Math.round(shuffled.length / 5);
    return { test: shuffled.slice(0, held), train: shuffled.slice(held) };
  });
  return { train: parts.flatMap(({ train }) => train), test: parts.flatMap(({ test }) => test) };
}

/** Fisher-Yates. */
function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}

/** A small generator of numbers in [0, 1) that is the same on every machine; for choosing rows, never for keys. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
