import { parseVariableName } from '../names.ts';
import { isEmpty, type Tree, type TreePath } from '../tree.ts';
import type { Carry, Draft } from './draft.ts';

const SECRET_STEP = 'carried as a secret: `ringfence secret set` with this name gives it a value';

/** Carries variables with their values; one without a value, which its owner’s machine would give, becomes a secret by name. */
export const environmentTo: Carry = (node, path, draft) => {
  if (node.kind === 'map') for (const { key, value } of node.entries) variable(draft, { key, value }, [...path, key]);
  else if (node.kind === 'list') node.items.forEach((item, index) => pair(draft, item, [...path, index]));
  else draft.leave(path, node, 'needed', 'this takes a map or a list of NAME=value');
};

/** Carries names of secrets; values in the file are never carried. */
export const secretsTo: Carry = (node, path, draft) => {
  if (node.kind !== 'map') return draft.leave(path, node, 'needed', 'this takes a map of names');
  for (const { key, value } of node.entries)
    secret(
      draft,
      { key, value },
      [...path, key],
      isEmpty(value) ? SECRET_STEP : `${SECRET_STEP}; the value in the file stays out, and is better changed`,
    );
};

interface Entry {
  readonly key: string;
  readonly value: Tree;
}

function pair(draft: Draft, item: Tree, path: TreePath): void {
  if (item.kind !== 'text') return draft.leave(path, item, 'needed', 'this takes NAME=value or NAME');
  const at = item.text.indexOf('=');
  const key = at === -1 ? item.text : item.text.slice(0, at);
  const value = {
    kind: 'text',
    text: at === -1 ? '' : item.text.slice(at + 1),
    plain: at === -1,
    line: item.line,
  } as const;
  variable(draft, { key, value }, path);
}

function variable(draft: Draft, { key, value }: Entry, path: TreePath): void {
  if (isEmpty(value)) return secret(draft, { key, value }, path, SECRET_STEP);
  if (value.kind !== 'text' || parseVariableName(key) === undefined)
    return draft.leave(path, value, 'needed', 'this is no variable with one value');
  draft.put('env', key, value.text);
}

function secret(draft: Draft, { key, value }: Entry, path: TreePath, step: string): void {
  if (parseVariableName(key) === undefined) return draft.leave(path, value, 'needed', 'this is no name of a variable');
  draft.put('secrets', key, key);
  draft.leave(path, value, 'step', step);
}
