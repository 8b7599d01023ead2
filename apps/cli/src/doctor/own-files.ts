import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@ringfence/base';
import { journalFolders } from '../wire/journal-folders.ts';
import { verifyLinks } from '../wire/verify-journal.ts';
import { bad, good, unfit, type Finding } from './finding.ts';

/** Whether what this device keeps is for its owner's eyes only, and whether keys lie here that belong elsewhere. */
export function homeFindings(home: string): Finding[] {
  const open = readdirSync(home).filter((name) => (statSync(join(home, name)).mode & 0o077) !== 0);
  return [
    open.length === 0
      ? good('profile', home)
      : bad('profile', `others may read ${open.join(', ')} in ${home}`, `chmod -R go= ${home}`),
    ...(existsSync(join(home, 'root-key.sealed'))
      ? [
          unfit(
            'root key',
            'lies, sealed, on this machine',
            `move ${join(home, 'root-key.sealed')} to a medium in a safe`,
          ),
        ]
      : []),
  ];
}

/** What the journals below a state folder of an agent or a custodian prove. */
export function stateFindings(state: string): Finding[] {
  const check = `journals in ${state}`;
  try {
    const { ok, frames, bytes, links } = verifyLinks(journalFolders(state), {
      sealKeyFile: join(state, 'seal.key'),
    });
    if (ok) return [good(check, `${links.length} links, ${frames} frames, ${bytes} B, all verified`)];
    return [bad(check, 'do not prove what crossed', `ringfence wire verify --state ${state}`)];
  } catch (error) {
    return [bad(check, messageOf(error), `ringfence wire verify --state ${state}`)];
  }
}
