import type { Tree } from '../tree.ts';
import type { Carry, Draft } from './draft.ts';
import { carryScript, type ScriptHabits } from './script.ts';

/** Commands that fetch; a net for the usual ones, not a proof of anything. */
const REACHES_OUT =
  /\b(?:git clone|(?:pip3?|uv pip|conda|mamba|apt(?:-get)?|npm) (?:-\S+ )*install|conda create|curl|wget|huggingface-cli|hf download)\b|https?:\/\//;

/** Carries a script, or a list of commands, to `field`; a variable that nobody sets here is named. */
export function scriptTo(field: 'run' | 'setup', habits: ScriptHabits): Carry {
  return (node, path, draft) => {
    const script = scriptOf(node);
    if (script === undefined) return draft.leave(path, node, 'needed', 'this takes a script or a list of commands');
    if (script.trim() === '') return;
    const { text, unset } = carryScript(script, habits);
    const before = draft.text(field) ?? '';
    draft.set(field, before + text);
    noteUnset(draft, node, { path, unset });
    if (REACHES_OUT.test(script))
      draft.leave(
        path,
        node,
        'step',
        'it fetches from the network: name the hosts in `privacy.egress`, or bring the files along',
      );
  };
}

function scriptOf(node: Tree): string | undefined {
  if (node.kind === 'text') return node.text;
  if (node.kind !== 'list') return undefined;
  const lines = node.items.map((item) => (item.kind === 'text' ? item.text : undefined));
  return lines.every((line) => line !== undefined) ? lines.join('\n') : undefined;
}

function noteUnset(
  draft: Draft,
  node: Tree,
  { path, unset }: { readonly path: readonly (string | number)[]; readonly unset: readonly string[] },
): void {
  for (const name of unset)
    draft.leave([...path, name], node, 'needed', 'the script uses this variable, which nobody sets here');
}
