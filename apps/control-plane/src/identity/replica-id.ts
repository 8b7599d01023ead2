import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isId, newId, type Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';

/** The name of the replica of this state folder: a process that is started again after a crash goes on as the same one at once. */
export function openReplicaId(state: string, rng: Rng): string {
  const file = join(state, 'replica');
  const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (isId('site', kept)) return kept;
  const id = newId('site', rng);
  writeFileAtomic(file, `${id}\n`);
  return id;
}
