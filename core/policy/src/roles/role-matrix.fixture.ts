import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { assertDeclared, type Action } from '../authorise/index.ts';

/** The matrix of docs/roles.md. */
export interface RoleMatrix {
  /** For each action its words, by the heads of the columns. */
  readonly words: ReadonlyMap<Action, ReadonlyMap<string, string>>;
  /** Whether a column (a role, or `agent`) permits an action. */
  readonly permits: (action: Action, column: string) => boolean;
}

/** Reads docs/roles.md. */
export function roleMatrix(): RoleMatrix {
  const page = readFileSync(new URL('../../../../docs/roles.md', import.meta.url), 'utf8');
  const cellsOf = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const lines = page.split('\n');
  const start = lines.findIndex((line) => line.startsWith('| action |'));
  const heads = cellsOf(lines[start] ?? '');
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'));
  const rows = lines.slice(start + 2, end).map((line): [Action, Map<string, string>] => {
    const [action = '', ...cells] = cellsOf(line);
    const words = cells.map((cell, index): [string, string] => [heads[index + 1] ?? '', cell]);
    return [assertDeclared(action.replaceAll('`', '')), new Map(words)];
  });
  assert.equal(new Set(rows.map(([action]) => action)).size, rows.length, 'an action has two rows');
  const words = new Map(rows);
  const permits = (action: Action, column: string): boolean => {
    const word = words.get(action)?.get(column);
    assert.ok(word === 'yes' || word === '·', `docs/roles.md says neither yes nor · for ${action} and ${column}`);
    return word === 'yes';
  };
  return { words, permits };
}
