import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '@ringfence/base/platform';
import { StoreError } from '../store-error.ts';

/** Where root keeps the programs and the data: the server's account cannot reach a state folder under a private parent. */
export const SYSTEM_FOLDER = '/var/lib/ringfence';

/** The folders and files of one embedded database. */
export interface Places {
  /** Real path of the role's state folder. */
  readonly state: string;
  /** In the state folder, mode 0700: password, marker, owner. */
  readonly own: string;
  /** Names the cluster that belongs to this state folder. */
  readonly marker: string;
  /** Password of the server's superuser, mode 0600. */
  readonly password: string;
  /** Process that may stop the server. */
  readonly owner: string;
  /** Identity, data folder and server log. */
  readonly cluster: string;
  /** How the marker names the cluster: `.` when it moves with the state folder, else its absolute path. */
  readonly clusterName: string;
  /** Says which marker the cluster belongs to. */
  readonly identity: string;
  /** PostgreSQL's data folder. */
  readonly data: string;
  /** What the server prints: start, stop, recovery; no statements and no values. */
  readonly log: string;
  /** Where copies of the programs go. */
  readonly programs: string;
}

/**
 * The places of the embedded database of `stateDir` (which must exist). A plain user keeps all of it in
 * `<stateDir>/database`; root keeps the cluster in /var/lib/ringfence/data/<first 32 hex digits of SHA-256 of the real path>.
 */
export function placesOf(stateDir: string, asRoot: boolean): Places {
  const state = realpathSync(stateDir);
  const own = join(state, 'database');
  const name = createHash('sha256').update(state).digest('hex').slice(0, 32);
  const cluster = asRoot ? join(SYSTEM_FOLDER, 'data', name) : join(own, 'cluster');
  return {
    state,
    own,
    marker: join(own, 'embedded.json'),
    password: join(own, 'superuser-password'),
    owner: join(own, 'owner.json'),
    cluster,
    clusterName: asRoot ? cluster : '.',
    identity: join(cluster, 'cluster.json'),
    data: join(cluster, 'data'),
    log: join(cluster, 'server.log'),
    programs: asRoot ? SYSTEM_FOLDER : own,
  };
}

/** Makes the folders around the cluster. Throws `unsafe-folder` when another account could change root's ones. */
export function makePlaces(places: Places, asRoot: boolean): void {
  makeFolder(places.own);
  if (!asRoot) return;
  for (const [folder, mode] of [
    [SYSTEM_FOLDER, 0o755],
    [join(SYSTEM_FOLDER, 'data'), 0o711],
  ] as const) {
    mkdirSync(folder, { recursive: true, mode });
    const { uid, mode: present } = lstatSync(folder);
    if (!lstatSync(folder).isDirectory() || uid !== 0 || (present & 0o022) !== 0)
      throw new StoreError(
        'unsafe-folder',
        `${folder} must be a folder that belongs to root and only root can change`,
        {
          next: `run \`chown root ${folder} && chmod go-w ${folder}\``,
        },
      );
    chmodSync(folder, mode);
  }
}
