import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const PAGE = 'docs/asvs.md';
/** Level of each requirement by its id, from OWASP ASVS 5.0.0 (its words are not copied here). */
const LEVELS = 'scripts/check/asvs-5.0.0.json';

/** Chapters of which level 3 counts too: authentication, cryptography, logging. */
const TO_LEVEL_3 = ['V6', 'V11', 'V16'];

/** How a row says that a requirement is met, that it is about nothing here, or that it is not met. */
const WAYS = ['test', 'code', 'n/a', 'open'] as const;

/** One row: | id | level | how | where | words |. */
export interface AsvsRow {
  readonly id: string;
  readonly level: string;
  readonly way: string;
  readonly where: string;
  readonly words: string;
}

/** The rows of the page. */
export function asvsRows(page: string): AsvsRow[] {
  return [...page.matchAll(/^\| (V\d+\.\d+\.\d+) \| ([^|]*) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map((match) => ({
    id: match[1] ?? '',
    level: (match[2] ?? '').trim(),
    way: (match[3] ?? '').trim(),
    where: (match[4] ?? '').trim(),
    words: (match[5] ?? '').trim(),
  }));
}

/** The ids that the page has to have: levels 1 and 2, and 3 of some chapters. */
export function requiredIds(levels: Readonly<Record<string, number>>): string[] {
  return Object.entries(levels)
    .filter(([id, level]) => level <= 2 || TO_LEVEL_3.includes(id.split('.')[0] ?? ''))
    .map(([id]) => id);
}

/** What is wrong with the rows, a line each; `read` gives the text of a file, or undefined where there is none. */
export function asvsProblems(
  rows: readonly AsvsRow[],
  levels: Readonly<Record<string, number>>,
  read: (path: string) => string | undefined,
): string[] {
  const known = new Set(rows.map(({ id }) => id));
  const twice = rows.filter(({ id }, at) => rows.findIndex((row) => row.id === id) !== at);
  return [
    ...requiredIds(levels)
      .filter((id) => !known.has(id))
      .map((id) => `${PAGE}: ${id} has no row`),
    ...twice.map(({ id }) => `${PAGE}: ${id} has two rows`),
    ...rows.flatMap((row) => rowProblems(row, levels, read).map((problem) => `${PAGE}: ${row.id}: ${problem}`)),
  ];
}

function rowProblems(
  { id, level, way, where, words }: AsvsRow,
  levels: Readonly<Record<string, number>>,
  read: (path: string) => string | undefined,
): string[] {
  if (levels[id] === undefined) return ['ASVS 5.0.0 has no such requirement'];
  if (String(levels[id]) !== level) return [`it is of level ${levels[id]}`];
  if (!WAYS.some((known) => known === way)) return [`\`${way}\` is none of ${WAYS.join(', ')}`];
  if (way === 'n/a' || way === 'open') return words.length >= 20 ? [] : ['says no reason'];
  // `path` or `path#text that stands in it`
  const places = [...where.matchAll(/`([^`#]+)(?:#([^`]+))?`/g)];
  if (places.length === 0) return ['names no place'];
  return places.flatMap(([, path = '', text]) => {
    const content = read(path);
    if (content === undefined) return [`${path} is not there`];
    if (way === 'test' && path === places[0]?.[1] && !path.endsWith('.test.ts')) return [`${path} is no test`];
    return text === undefined || content.includes(text) ? [] : [`${path} does not say ${JSON.stringify(text)}`];
  });
}

/** How many of `rows` are met in which way, as the page says it of each chapter and of all. */
function countsOf(rows: readonly AsvsRow[]): string {
  return WAYS.map((way) => `${rows.filter((row) => row.way === way).length} ${way}`).join(', ');
}

/** Whether the page counts its rows right: for each chapter a heading `## V6: …` and then the counts, and those of all at its top. */
export function countProblems(page: string): string[] {
  const rows = asvsRows(page);
  const [top = '', ...chapters] = page.split(/^## (?=V\d+:)/m);
  const parts = chapters.map((text) => ({ text, name: text.slice(0, text.indexOf(':')), rows: asvsRows(text) }));
  return [{ text: top, name: 'its top', rows }, ...parts].flatMap((part) => {
    const counts = countsOf(part.rows);
    return part.text.includes(counts) ? [] : [`${PAGE}: ${part.name} does not say \`${counts}\``];
  });
}

/** Whether each requirement of levels 1 and 2, and of 3 for some chapters, has a row whose places exist, and the page counts them right. */
export function checkAsvsPage(checkout: string): string[] {
  const levels = z.record(z.string(), z.int()).parse(JSON.parse(readFileSync(join(checkout, LEVELS), 'utf8')));
  const read = (path: string): string | undefined =>
    existsSync(join(checkout, path)) ? readFileSync(join(checkout, path), 'utf8') : undefined;
  const page = readFileSync(join(checkout, PAGE), 'utf8');
  return [...asvsProblems(asvsRows(page), levels, read), ...countProblems(page)];
}
