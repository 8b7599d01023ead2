import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import type { RootEntry } from './root-entry.ts';

/** Names at the top that the runtime or Ringfence makes, whatever an image holds there. */
const OWN = new Set(['proc', 'sys', 'dev', 'tmp', 'ringfence']);

/**
 * What of the unpacked image at `root` a container shows, by name: each entry bound by itself, folders on the way to one of `places` opened
 * up, so that places of the job need not exist in the image and nothing is ever written into it.
 */
export function imageRoot(root: string, places: readonly string[]): readonly RootEntry[] {
  return entriesOf(root, '', places);
}

function entriesOf(root: string, folder: string, places: readonly string[]): readonly RootEntry[] {
  return readdirSync(root + folder).flatMap((name): readonly RootEntry[] => {
    const path = `${folder}/${name}`;
    if ((folder === '' && OWN.has(name)) || places.includes(path)) return [];
    const stat = lstatSync(root + path);
    if (places.some((place) => place.startsWith(`${path}/`)))
      return stat.isDirectory()
        ? [{ kind: 'folder', path }, ...entriesOf(root, path, places)]
        : // A link on the way would lead the runtime elsewhere: the job's own folder takes its place.
          [{ kind: 'folder', path }];
    if (stat.isSymbolicLink()) return [{ kind: 'link', path, target: readlinkSync(root + path) }];
    return [{ kind: 'bind', path, hostPath: root + path }];
  });
}
