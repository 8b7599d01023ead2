import { statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { workdirIgnore } from '@ringfence/protocol/job-file';
import { textIfThere } from './folder-entries.ts';
import { IGNORE_FILES } from './pack-workdir.ts';

/** What to do so that a launch from `folder` does not pack data that lies at `path`; undefined where it would not. */
export function leaveOutHint(folder: string, path: string): string | undefined {
  const below = relative(folder, path).split(sep).join('/');
  if (below === '..' || below.startsWith('../')) return undefined;
  if (below === '')
    return 'a `launch` from this folder would send this data along with its job: launch from another folder';
  const files = IGNORE_FILES.flatMap((name) => {
    const text = textIfThere(join(folder, name));
    return text === undefined ? [] : [{ path: name, text }];
  });
  const leaves = workdirIgnore(files);
  const steps = below.split('/');
  const isLeft = steps.some((_, at) =>
    leaves?.(steps.slice(0, at + 1).join('/'), at + 1 < steps.length ? 'folder' : kindOf(path)),
  );
  if (isLeft) return undefined;
  return `a \`launch\` from this folder would send ${below} along with its job: \`echo /${below} >> .ringfenceignore\` leaves it out`;
}

/** What is not there is taken for a folder. */
function kindOf(path: string): 'folder' | 'other' {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true ? 'other' : 'folder';
}
