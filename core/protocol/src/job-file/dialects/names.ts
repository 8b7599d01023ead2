import { parseArtifactName } from '../names.ts';

/** A name of ours that resembles `text`; undefined when nothing of it is left. */
export function nameLike(text: string): string | undefined {
  const name = text
    .replace(/^[a-z0-9]+:\/\//i, '')
    .replaceAll(/[^A-Za-z0-9._-]+/g, '-')
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '')
    .slice(0, 63)
    .replace(/[^A-Za-z0-9]+$/, '');
  return parseArtifactName(name) === undefined ? undefined : name;
}

/** A folder below the job file’s, without the `./` that others write; undefined for any other place. */
export function folderBelow(text: string): string | undefined {
  const path = text.replace(/^\.\//, '').replace(/\/+$/, '') || '.';
  return /^[/~]|(?:^|\/)\.\.(?:\/|$)|:/.test(path) ? undefined : path;
}
