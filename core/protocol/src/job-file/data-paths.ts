import { NAME_WORDS, parseArtifactName, parseDatasetName, type ArtifactName, type DatasetName } from './names.ts';
import { below, entriesOf, record, refuse, text, type Place, type Read } from './read.ts';
import { parseSandboxPath, type SandboxPath } from './sandbox-path.ts';
import type { Tree } from './tree.ts';

/** A dataset, read-only at a path of the sandbox. */
export interface Mount {
  readonly path: SandboxPath;
  readonly dataset: DatasetName;
}

/** A folder of the sandbox that is kept as an artifact when the job succeeds. */
export interface Output {
  readonly path: SandboxPath;
  readonly artifact: ArtifactName;
}

const MAX_PATHS = 64;
const mountFields = record({ dataset: text(parseDatasetName, NAME_WORDS) }, ['dataset']);
const outputFields = record({ artifact: text(parseArtifactName, NAME_WORDS) }, ['artifact']);

/** Mounts by sandbox path. */
export const mounts: Read<readonly Mount[]> = (tree, place) =>
  readPaths(tree, place, (value, at) => mountFields(value, at)?.dataset).map(([path, dataset]) => ({ path, dataset }));

/** Outputs by sandbox path. */
export const outputs: Read<readonly Output[]> = (tree, place) =>
  readPaths(tree, place, (value, at) => outputFields(value, at)?.artifact).map(([path, artifact]) => ({
    path,
    artifact,
  }));

// A wrong path does not keep what stands under it from being checked.
function readPaths<T>(tree: Tree, place: Place, read: Read<T>): [SandboxPath, T][] {
  const entries = entriesOf(tree, place) ?? [];
  if (entries.length > MAX_PATHS) {
    refuse(place, { code: 'out-of-range', message: `this takes at most ${MAX_PATHS} paths` });
  }
  return entries.slice(0, MAX_PATHS).flatMap(({ key, value }) => {
    const at = below(place, key);
    const path = parseSandboxPath(key, at);
    const found = read(value, at);
    return path === undefined || found === undefined ? [] : [[path, found]];
  });
}
