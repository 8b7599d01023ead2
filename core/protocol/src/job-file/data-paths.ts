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
/** What a dataset looks like in a file. */
export const MOUNT_EXAMPLE = 'mounts: {/data: {dataset: NAME}}';
const OUTPUT_EXAMPLE = 'outputs: {/model: {artifact: NAME}}';
const mountFields = record({ dataset: text(parseDatasetName, NAME_WORDS) }, ['dataset']);
const outputFields = record({ artifact: text(parseArtifactName, NAME_WORDS) }, ['artifact']);

/** Mounts by sandbox path. */
export const mounts: Read<readonly Mount[]> = (tree, place) =>
  readPaths(tree, place, { read: (value, at) => mountFields(value, at)?.dataset, example: MOUNT_EXAMPLE }).map(
    ([path, dataset]) => ({ path, dataset }),
  );

/** Outputs by sandbox path. */
export const outputs: Read<readonly Output[]> = (tree, place) =>
  readPaths(tree, place, { read: (value, at) => outputFields(value, at)?.artifact, example: OUTPUT_EXAMPLE }).map(
    ([path, artifact]) => ({ path, artifact }),
  );

// A wrong path does not keep what stands under it from being checked.
function readPaths<T>(
  tree: Tree,
  place: Place,
  { read, example }: { read: Read<T>; example: string },
): [SandboxPath, T][] {
  if (tree.kind === 'text' || tree.kind === 'list') {
    refuse(place, { code: 'wrong-shape', message: `each needs a path in the sandbox: ${example}` });
    return [];
  }
  const entries = entriesOf(tree, place) ?? [];
  if (entries.length > MAX_PATHS) {
    refuse(place, { code: 'out-of-range', message: `this takes at most ${MAX_PATHS} paths` });
  }
  return entries.slice(0, MAX_PATHS).flatMap(({ key, value }) => {
    const at = below(place, key);
    // A name alone: one problem, not one for the path and one for what stands there.
    if (value.kind === 'text' || value.kind === 'list')
      return refuse(at, { code: 'wrong-shape', message: `this needs a path in the sandbox: ${example}` }) ?? [];
    const path = parseSandboxPath(key, at);
    const found = read(value, at);
    return path === undefined || found === undefined ? [] : [[path, found]];
  });
}
