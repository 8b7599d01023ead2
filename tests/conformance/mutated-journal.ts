// Journals that differ from a good one in one place, chained anew as a forger with the folder would, or not.
import { canonicalJson, randomBelow, type Rng } from '@ringfence/base';
import { appendRecord, EMPTY_JOURNAL, type JournalFields, type JournalRecord } from '@ringfence/ledger';

type Tree = Record<string, unknown> | unknown[];

/** The lines of a journal, chained anew. */
export function chained(records: readonly JournalRecord[]): string {
  let head = EMPTY_JOURNAL;
  let text = '';
  for (const { seq: _, t, hash: __, hash_prev: ___, ...fields } of records) {
    const appended = appendRecord(head, fields as JournalFields, t);
    head = appended.head;
    text += `${appended.line}\n`;
  }
  return text;
}

/** One change of a good journal, and what it was. */
export function mutated(records: readonly JournalRecord[], rng: Rng): { text: string; what: string } {
  const at = randomBelow(rng, records.length);
  const kind = records[at]?.kind ?? '';
  const other = randomBelow(rng, records.length);
  switch (randomBelow(rng, 10)) {
    case 0:
      return { what: `drop ${kind} ${at}`, text: chained(records.filter((_, index) => index !== at)) };
    case 1:
      return { what: `repeat ${kind} ${at}`, text: chained(records.flatMap((r, i) => (i === at ? [r, r] : [r]))) };
    case 2:
      return { what: `swap ${at} and ${other}`, text: chained(swapped(records, at, other)) };
    case 3:
      return { what: `flip a byte near ${kind} ${at}`, text: flipped(records, at, rng) };
    default: {
      const changed = structuredClone(records) as JournalRecord[];
      const what = changeLeaf(changed[at] as unknown as Tree, rng);
      return { what: `${kind} ${at}: ${what}`, text: chained(changed) };
    }
  }
}

function swapped(records: readonly JournalRecord[], a: number, b: number): JournalRecord[] {
  const copy = [...records];
  [copy[a], copy[b]] = [copy[b] as JournalRecord, copy[a] as JournalRecord];
  return copy;
}

function flipped(records: readonly JournalRecord[], at: number, rng: Rng): string {
  const lines = records.map((record) => canonicalJson(record));
  const line = Buffer.from(lines[at] ?? '');
  const place = randomBelow(rng, line.length);
  line[place] = (line[place] ?? 0) ^ (1 << randomBelow(rng, 7));
  lines[at] = line.toString('latin1');
  return `${lines.join('\n')}\n`;
}

const OWN = new Set(['seq', 'hash', 'hash_prev']);

/** Changes one leaf of `tree` and says which. */
function changeLeaf(tree: Tree, rng: Rng, path = ''): string {
  const keys = Object.keys(tree).filter((key) => path !== '' || !OWN.has(key));
  const key = keys[randomBelow(rng, Math.max(1, keys.length))];
  if (key === undefined) return `${path} is empty`;
  const parent = tree as Record<string, unknown>;
  const value = parent[key];
  const here = `${path}.${key}`;
  if (typeof value === 'object' && value !== null) return changeLeaf(value as Tree, rng, here);
  if (randomBelow(rng, 8) === 0 && !Array.isArray(tree)) {
    delete parent[key];
    return `${here} removed`;
  }
  parent[key] = changedLeaf(value, rng);
  return `${here} = ${canonicalJson(parent[key]).slice(0, 40)}`;
}

function changedLeaf(value: unknown, rng: Rng): unknown {
  if (typeof value === 'number') return Math.max(0, value + [-1, 1, 1_000, -70_000][randomBelow(rng, 4)]!);
  if (typeof value === 'boolean') return !value;
  if (typeof value !== 'string' || value === '') return 'x';
  const at = randomBelow(rng, value.length);
  const alphabet = /^[0-9a-f]+$/.test(value) ? '0123456789abcdef' : 'ABCabc012';
  const letter = alphabet[randomBelow(rng, alphabet.length)] ?? 'a';
  return value.slice(0, at) + letter + value.slice(at + 1);
}
