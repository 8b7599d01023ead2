// The two small tables: breast-cancer from examples/tabular, digits from Debian's package python3-sklearn.
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { pickRows, rowCount, type Examples } from '@ringfence/fl/trainer';

const BREAST_CANCER = new URL('../../examples/tabular/data/breast-cancer.csv', import.meta.url);
const DIGITS = '/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz';

/** 569 rows of 30 measurements, malignant (0) or benign (1). */
export function readBreastCancer(): Examples {
  const [, ...lines] = readFileSync(BREAST_CANCER, 'utf8').trimEnd().split('\n');
  return fromLines(lines);
}

/** 1,797 images of 8x8 pixels from 0 to 16, ten classes; undefined where the package is not installed. */
export function readDigits(): Examples | undefined {
  if (!existsSync(DIGITS)) return undefined;
  const lines = gunzipSync(readFileSync(DIGITS)).toString().trimEnd().split('\n');
  return fromLines(lines);
}

/** Rows of numbers, the class last. */
function fromLines(lines: readonly string[]): Examples {
  const cells = lines.map((line) => line.split(',').map(Number));
  const inputs = (cells[0]?.length ?? 1) - 1;
  return {
    rows: Float32Array.from(cells.flatMap((row) => row.slice(0, inputs))),
    labels: Uint16Array.from(cells, (row) => row[inputs] ?? 0),
    inputs,
  };
}

/** Rows in `order`: the first fifth to test on, the others to train on. */
export function splitRows(examples: Examples, order: Uint32Array): { train: Examples; test: Examples } {
  const held = Math.round(rowCount(examples) / 5);
  return {
    test: pickRows({ examples, picks: order.subarray(0, held) }),
    train: pickRows({ examples, picks: order.subarray(held) }),
  };
}

/** The rows dealt to `count` clients in turn. */
export function dealRows(examples: Examples, count: number): Examples[] {
  const rows = Array.from({ length: rowCount(examples) }, (_, row) => row);
  return Array.from({ length: count }, (_, client) =>
    pickRows({ examples, picks: Uint32Array.from(rows.filter((row) => row % count === client)) }),
  );
}

/** Each column less its mean, over its deviation, as found in `by`; cut to `most` deviations. */
export function standardised(examples: Examples, by: Examples, most: number): Examples {
  const { inputs } = examples;
  const count = rowCount(by);
  const [means, deviations] = [new Float64Array(inputs), new Float64Array(inputs)];
  by.rows.forEach((value, at) => (means[at % inputs] = (means[at % inputs] ?? 0) + value / count));
  by.rows.forEach((value, at) => {
    deviations[at % inputs] = (deviations[at % inputs] ?? 0) + (value - (means[at % inputs] ?? 0)) ** 2 / count;
  });
  const rows = examples.rows.map((value, at) => {
    const scaled = (value - (means[at % inputs] ?? 0)) / (Math.sqrt(deviations[at % inputs] ?? 0) || 1);
    return Math.max(-most, Math.min(most, scaled));
  });
  return { ...examples, rows };
}
