import { FlError } from '../../fl-error.ts';
import type { Examples } from '../examples.ts';
import { parseCsv } from './csv.ts';

/** How rows become numbers: a contract's schema of its data, in numbers. */
export interface TableSchema {
  /** In the order in which the model reads them; each value is (x − subtract) / divide. */
  readonly features: readonly { readonly column: string; readonly subtract: number; readonly divide: number }[];
  readonly label: string;
  /** Texts of the label column, in the order of the model's classes. */
  readonly classes: readonly string[];
}

/** Whose rows belong together, and how many of each count. */
export interface PersonColumn {
  readonly column: string;
  readonly mostRows: number;
}

/** A table as the trainer takes it. */
export interface TrainingTable {
  readonly examples: Examples;
  /** Rows of each person, at most `mostRows` of each; undefined where persons are not the unit. */
  readonly units: readonly Uint32Array[] | undefined;
}

/** Values further out count as this: with them a model's sums stay within what float32 holds, so that one row cannot make a round fail. */
const MOST_VALUE = 1e12;

/** How a number is written in a table. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/;

/**
 * A table by a contract's schema. Where persons are the unit, the first rows of each up to the cap are theirs; what lies beyond counts in no update. Throws FlError `bad-data` for a file that does
 * not fit; messages name row and column, never a value.
 */
export function readTable(text: string, schema: TableSchema, person?: PersonColumn): TrainingTable {
  const { header, rows } = parseCsv(text);
  if (rows.length === 0) throw new FlError('bad-data', 'the table has no rows');
  const place = (column: string): number => {
    const at = header.indexOf(column);
    if (at === -1) throw new FlError('bad-data', `the table has no column ${column}, which the contract names`);
    return at;
  };
  const features = schema.features.map((feature) => ({ ...feature, at: place(feature.column) }));
  const label = place(schema.label);
  const examples = {
    rows: new Float32Array(rows.length * features.length),
    labels: new Uint16Array(rows.length),
    inputs: features.length,
  };
  for (const [row, cells] of rows.entries()) {
    const refuse = (column: number): FlError =>
      new FlError('bad-data', `row ${row + 1}, column ${header[column]} is not what the contract says`);
    for (const [feature, { at, subtract, divide }] of features.entries()) {
      const cell = (cells[at] ?? '').trim();
      const value = (Number(cell) - subtract) / divide;
      if (!NUMBER.test(cell) || !Number.isFinite(Math.fround(value))) throw refuse(at);
      examples.rows[row * features.length + feature] = Math.max(-MOST_VALUE, Math.min(MOST_VALUE, value));
    }
    const known = schema.classes.indexOf((cells[label] ?? '').trim());
    if (known === -1) throw refuse(label);
    examples.labels[row] = known;
  }
  const units = person === undefined ? undefined : personsOf(rows, place(person.column), person.mostRows);
  return { examples, units };
}

function personsOf(rows: readonly (readonly string[])[], column: number, most: number): Uint32Array[] {
  const persons = new Map<string, number[]>();
  for (const [row, cells] of rows.entries()) {
    const key = (cells[column] ?? '').trim();
    const own = persons.get(key) ?? [];
    if (own.length < most) own.push(row);
    persons.set(key, own);
  }
  return [...persons.values()].map((own) => Uint32Array.from(own));
}
