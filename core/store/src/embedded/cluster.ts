import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Rng } from '@ringfence/base';
import { syncFolder, writeFileAtomic } from '@ringfence/base/platform';
import { StoreError } from '../store-error.ts';
import { hasCode, readIfPresent, readOrWriteFirst } from '../first-writer.ts';
import type { Places } from './places.ts';

/** The marker in the state folder: which cluster is ours, and whether its data folder was ever complete. */
export interface Marker {
  readonly version: 1;
  readonly id: string;
  readonly cluster: string;
  readonly initialized: boolean;
}

/** What to do with a cluster folder, given the marker and what is on disk. */
export type ClusterDecision =
  | { readonly do: 'use' }
  | { readonly do: 'initialize' }
  | { readonly do: 'finish' }
  | { readonly do: 'set-aside' }
  | { readonly do: 'refuse'; readonly code: 'state-moved' | 'data-missing' };

/**
 * Decides so that an existing database is never mistaken for a new one: data that was once complete must be there under the same
 * id; a cluster that belongs to a former state folder at the same path is set aside, never reused and never deleted.
 */
export function decideCluster(
  marker: Marker,
  disk: { readonly cluster: string; readonly id: string | undefined; readonly hasData: boolean },
): ClusterDecision {
  if (marker.cluster !== disk.cluster) return { do: 'refuse', code: 'state-moved' };
  if (marker.initialized)
    return disk.id === marker.id && disk.hasData ? { do: 'use' } : { do: 'refuse', code: 'data-missing' };
  if (disk.id !== undefined && disk.id !== marker.id) return { do: 'set-aside' };
  if (disk.id === undefined && disk.hasData) return { do: 'set-aside' };
  return disk.hasData ? { do: 'finish' } : { do: 'initialize' };
}

/** The marker of this state folder, made when it is new. Throws `data-missing` when it cannot be read. */
export function readMarker(places: Places, rng: Rng): Marker {
  const fresh: Marker = {
    version: 1,
    id: Buffer.from(rng.bytes(16)).toString('hex'),
    cluster: places.clusterName,
    initialized: false,
  };
  const text = readOrWriteFirst(places.marker, () => JSON.stringify(fresh));
  try {
    const value: unknown = JSON.parse(text);
    if (isMarker(value)) return value;
  } catch {
    // Reported below: a marker that is no JSON and one of the wrong shape are the same fault.
  }
  throw new StoreError('data-missing', `${places.marker} is not readable`, {
    next: 'restore the state folder from a backup',
  });
}

/** What is on disk at the cluster's place. */
export function readCluster(places: Places): { cluster: string; id: string | undefined; hasData: boolean } {
  const text = readIfPresent(places.identity);
  return {
    cluster: places.clusterName,
    id: text === undefined ? undefined : identityOf(text),
    hasData: existsSync(join(places.data, 'PG_VERSION')),
  };
}

/** Makes the cluster folder with its identity; the data folder comes later, by one rename. */
export function makeCluster(places: Places, marker: Marker, asRoot: boolean): void {
  mkdirSync(places.cluster, { recursive: true });
  chmodSync(places.cluster, asRoot ? 0o711 : 0o700);
  readOrWriteFirst(places.identity, () => JSON.stringify({ version: 1, id: marker.id, state: places.state }));
}

/** Records that the data folder is complete: from now on its absence is a loss, not a first start. */
export function markInitialized(places: Places, marker: Marker): void {
  writeFileAtomic(places.marker, JSON.stringify({ ...marker, initialized: true }));
}

/** Moves the cluster of a former state folder out of the way and returns where it went. */
export function setAside(places: Places, id: string | undefined): string {
  const target = `${places.cluster}.${id ?? 'unknown'}.abandoned`;
  try {
    renameSync(places.cluster, target);
  } catch (error) {
    // Another starter was faster: the target is taken or the cluster has gone.
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].some((code) => hasCode(error, code))) throw error;
  }
  syncFolder(join(places.cluster, '..'));
  return target;
}

/** The superuser's password: 256 random bits in base64url, made at the first start. Throws `data-missing` when it is gone. */
export function superuserPassword(places: Places, marker: Marker, rng: Rng): string {
  const text = marker.initialized
    ? readIfPresent(places.password)
    : readOrWriteFirst(places.password, () => `${Buffer.from(rng.bytes(32)).toString('base64url')}\n`);
  const password = text?.trim() ?? '';
  if (/^[\w-]{43}$/.test(password)) return password;
  throw new StoreError('data-missing', `${places.password} does not hold the database password`, {
    next: 'restore the state folder from a backup',
  });
}

/** Deletes the cluster and this package's part of the state folder; the server must not run. */
export function removePlaces(places: Places): void {
  for (const path of [places.cluster, places.own]) rmSync(path, { recursive: true, force: true });
}

/** Version of the data folder, such as `18`. */
export function dataVersion(places: Places): string {
  return readFileSync(join(places.data, 'PG_VERSION'), 'utf8').trim();
}

function identityOf(text: string): string | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string')
      return /^[0-9a-f]{32}$/.test(value.id) ? value.id : undefined;
  } catch {
    // No identity: the caller treats the folder as a stranger's.
  }
  return undefined;
}

function isMarker(value: unknown): value is Marker {
  if (typeof value !== 'object' || value === null) return false;
  if (!('version' in value && 'id' in value && 'cluster' in value && 'initialized' in value)) return false;
  const { version, id, cluster, initialized } = value;
  return (
    version === 1 &&
    typeof id === 'string' &&
    /^[0-9a-f]{32}$/.test(id) &&
    typeof cluster === 'string' &&
    typeof initialized === 'boolean'
  );
}
