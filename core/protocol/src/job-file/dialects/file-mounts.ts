import { isEmpty, valueAt, type Tree, type TreePath } from '../tree.ts';
import type { Carry, Draft } from './draft.ts';
import { folderBelow, nameLike } from './names.ts';

const ABSOLUTE = /^(?:\/[A-Za-z0-9._-]+)+$/;

/** Carries SkyPilot’s `file_mounts`: a bucket becomes a dataset of the same name, one without a source an output. */
export const fileMountsTo: Carry = (node, path, draft) => {
  if (node.kind !== 'map') return draft.leave(path, node, 'needed', 'this takes a map of paths');
  for (const { key, value } of node.entries) mount(draft, { at: key, from: value }, [...path, key]);
};

interface Mounted {
  readonly at: string;
  readonly from: Tree;
}

function mount(draft: Draft, { at, from }: Mounted, path: TreePath): void {
  if (!ABSOLUTE.test(at))
    return draft.leave(path, from, 'needed', 'mount it at an absolute path, and let the script look there');
  if (from.kind === 'text')
    return from.text.includes('://') ? bucket(draft, { at, from }, path) : local(draft, from, path);
  const source = valueAt(from, 'source');
  const name = valueAt(from, 'name');
  if (source?.kind === 'text' && source.text.includes('://')) return bucket(draft, { at, from: source }, path);
  if (source !== undefined && !isEmpty(source)) return local(draft, from, path);
  const artifact = name?.kind === 'text' ? nameLike(name.text) : undefined;
  if (artifact === undefined) return draft.leave(path, from, 'needed', 'register its files as a dataset and mount it');
  draft.put('outputs', at, { artifact });
  draft.leave(path, from, 'step', 'carried as an output: it begins empty, and is kept when the job succeeds');
}

function bucket(draft: Draft, { at, from }: Mounted, path: TreePath): void {
  const dataset = from.kind === 'text' ? nameLike(from.text) : undefined;
  if (dataset === undefined) return draft.leave(path, from, 'needed', 'register its files as a dataset and mount it');
  draft.put('mounts', at, { dataset });
  draft.leave(
    path,
    from,
    'step',
    'carried as a dataset named after the bucket: register its files with `ringfence dataset add`',
  );
}

function local(draft: Draft, from: Tree, path: TreePath): void {
  const folder = from.kind === 'text' ? folderBelow(from.text) : undefined;
  const where = folder === undefined ? 'files from elsewhere' : 'files beside the job file travel in its workdir';
  draft.leave(path, from, 'needed', `${where}; let the script read them there, or register them as a dataset`);
}
