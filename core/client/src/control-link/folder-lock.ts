import { holdFolder } from '@ringfence/base/platform';
import { ClientError } from '../error.ts';

/**
 * Takes a folder for this process until it ends or calls the returned function. Throws ClientError `folder-in-use`. A holder in another pid
 * namespace counts as dead: the journal itself then notices the second writer.
 */
export function lockFolder(folder: string, options: { displaces?: boolean } = {}): () => void {
  const held = holdFolder(folder, options);
  if (held === 'no-proc') throw new ClientError('folder-in-use', 'this system has no /proc to tell processes apart by');
  if (held === 'in-use')
    throw new ClientError('folder-in-use', 'another process works in this state folder', {
      next: 'stop it, or give this process a folder of its own',
    });
  return held;
}
