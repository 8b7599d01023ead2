import type { Clock, Log, Rng } from '@ringfence/base';
import { StoreError } from '../store-error.ts';
import { serverAccount, type Account } from './account.ts';
import { installBinaries, type Binaries } from './binaries.ts';
import {
  dataVersion,
  decideCluster,
  makeCluster,
  markInitialized,
  readCluster,
  readMarker,
  setAside,
  superuserPassword,
} from './cluster.ts';
import { initializeData } from './initialize.ts';
import { makePlaces, placesOf, type Places } from './places.ts';
import { stopLiveServer } from './live-server.ts';

const ROUNDS = 5;

/** A data folder that a server can start on. */
export interface PreparedCluster {
  readonly places: Places;
  readonly binaries: Binaries;
  readonly account: Account | undefined;
  readonly password: string;
  /** Whether this call made the data folder. */
  readonly fresh: boolean;
  /** Most connections; undefined for as many as one role needs. */
  readonly connections: number | undefined;
}

/**
 * Brings programs, folders, password and data folder of `stateDir` into being or finds them. Throws `no-account`, `unsafe-folder`,
 * `state-moved`, `data-missing`, `wrong-version`, `start-failed`, `unsupported-platform`.
 */
export async function prepareCluster(options: {
  stateDir: string;
  log: Log;
  clock: Clock;
  rng: Rng;
  connections?: number;
}): Promise<PreparedCluster> {
  const asRoot = process.getuid?.() === 0;
  const places = placesOf(options.stateDir, asRoot);
  makePlaces(places, asRoot);
  const binaries = installBinaries(places.programs, asRoot);
  for (let round = 0; round < ROUNDS; round += 1) {
    const marker = readMarker(places, options.rng);
    const cluster = readCluster(places);
    const decision = decideCluster(marker, cluster);
    if (decision.do === 'refuse') throw refusal(decision.code, places);
    if (decision.do === 'set-aside') {
      await stopLiveServer(places.data, options.clock);
      setAside(places, cluster.id);
      options.log.warn('database.cluster_set_aside', { reason: 'state-folder-is-new' });
      continue;
    }
    const password = superuserPassword(places, marker, options.rng);
    if (decision.do === 'initialize') makeCluster(places, marker, asRoot);
    const account = serverAccount(places.data);
    if (decision.do === 'initialize') await initializeData({ places, binaries, account, password, rng: options.rng });
    if (decision.do !== 'use') markInitialized(places, marker);
    requireVersion(places, binaries);
    const fresh = decision.do === 'initialize';
    return { places, binaries, account, password, fresh, connections: options.connections };
  }
  throw refusal('data-missing', places);
}

function requireVersion(places: Places, binaries: Binaries): void {
  const [found, ours] = [dataVersion(places), binaries.version.split('.')[0]];
  if (found === ours) return;
  throw new StoreError('wrong-version', `the data folder is of PostgreSQL ${found}, this release brings ${ours}`, {
    next: 'start the release that made it, back up, and restore the backup with this one',
  });
}

function refusal(code: 'state-moved' | 'data-missing', places: Places): StoreError {
  return code === 'state-moved'
    ? new StoreError(code, `${places.state} was moved or copied; its database stayed where it was`, {
        next: 'move the folder back, or restore a backup into a new one',
      })
    : new StoreError(code, `the database that belongs to ${places.state} is not at ${places.cluster}`, {
        next: 'mount or restore that folder, or restore a backup into a new state folder',
      });
}
