/** Rows to train on or to test with, all of one width. */
export interface Examples {
  /** Row after row. */
  readonly rows: Float32Array;
  /** The class of each row, from 0. */
  readonly labels: Uint16Array;
  /** Values a row. */
  readonly inputs: number;
}

/** Some of the rows, by number; each may be there once or more. */
export interface Batch {
  readonly examples: Examples;
  readonly picks: Uint32Array;
}

/** How many rows there are. */
export function rowCount({ labels }: Examples): number {
  return labels.length;
}

/** The rows that `picks` numbers, copied. Throws RangeError for a number that no row has. */
export function pickRows({ examples, picks }: Batch): Examples {
  const { rows, labels, inputs } = examples;
  const picked = { rows: new Float32Array(picks.length * inputs), labels: new Uint16Array(picks.length), inputs };
  for (const [at, pick] of picks.entries()) {
    const label = labels[pick];
    if (label === undefined) throw new RangeError(`no row ${pick} among ${labels.length}`);
    picked.rows.set(rows.subarray(pick * inputs, (pick + 1) * inputs), at * inputs);
    picked.labels[at] = label;
  }
  return picked;
}

/** All rows, in order. */
export function allRows(examples: Examples): Batch {
  return { examples, picks: Uint32Array.from({ length: rowCount(examples) }, (_, at) => at) };
}
