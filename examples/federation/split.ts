// node split.ts FOLDER: deals the breast-cancer rows to three sites and holds some out: FOLDER/site-1/rows.csv … FOLDER/held-out.csv.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FEATURES, readRows, stratifiedSplit, type Row } from '../tabular/cell-nuclei.ts';

/** Sites that the rows are dealt to. */
export const SITES = 3;

/** The same rows are held out as in the tabular example. */
const SEED = 1995;
const DATA = join(import.meta.dirname, '../tabular/data');

/** What each site has, and what none of them does, as CSV texts with a header. */
export interface DealtRows {
  readonly sites: readonly string[];
  readonly heldOut: string;
}

/** Deals the rows in turn, so that every site has as many malignant ones. */
export function dealRows(): DealtRows {
  const { train, test } = stratifiedSplit(readRows(DATA), SEED);
  const sites = Array.from({ length: SITES }, (_, site) => csvOf(train.filter((_row, at) => at % SITES === site)));
  return { sites, heldOut: csvOf(test) };
}

function csvOf(rows: readonly Row[]): string {
  const lines = rows.map(({ features, malignant }) => `${features.join(',')},${malignant ? 'malignant' : 'benign'}`);
  return `${[...FEATURES, 'diagnosis'].join(',')}\n${lines.join('\n')}\n`;
}

if (import.meta.main) {
  const folder = process.argv[2];
  if (folder === undefined) throw new Error('usage: node split.ts FOLDER');
  const { sites, heldOut } = dealRows();
  for (const [at, rows] of sites.entries()) {
    mkdirSync(join(folder, `site-${at + 1}`), { recursive: true });
    writeFileSync(join(folder, `site-${at + 1}`, 'rows.csv'), rows);
  }
  writeFileSync(join(folder, 'held-out.csv'), heldOut);
}
