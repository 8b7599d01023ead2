import { existsSync } from 'node:fs';
import { sleep, systemRng, type Clock, type Log, type Rng, Secret, errorFields } from '@ringfence/base';
import { removePlaces } from './cluster.ts';
import { claimOwnership, releaseOwnership } from './owner.ts';
import { placesOf } from './places.ts';
import { prepareCluster, type PreparedCluster } from './prepare.ts';
import { stopLiveServer } from './live-server.ts';
import { ensureRunning, type RunningServer } from './running.ts';
import { isAlive, stopServer } from './server-process.ts';
import { DATABASE, SOCKET_PORT, SUPERUSER } from './settings.ts';
import { removeSocketFolder } from './socket-folder.ts';

const WATCH_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** A running embedded PostgreSQL. */
export interface EmbeddedServer {
  /** Folder of the unix socket; it stays the same when the server is restarted. */
  readonly socketDir: string;
  /** Process of the server; it changes when the server had to be restarted. */
  readonly pid: number;
  /** Such as `18.4`. */
  readonly serverVersion: string;
  /** Whether the server ran before this call. */
  readonly reused: boolean;
  /** Whether `stop` stops the server: another living process may own it. */
  readonly owned: boolean;
  /** `postgresql://` URL of the superuser, UTF-8; good for `openDatabase`'s `url` in another process. */
  connectionString(): Secret;
  /** Stops the server (or only lets go of it when not `owned`). Throws StoreError `stop-failed`. */
  stop(): Promise<void>;
}

/** What the embedded server needs. */
export interface EmbeddedOptions {
  /** The role's state folder; it must exist. */
  readonly stateDir: string;
  readonly log: Log;
  readonly clock: Clock;
  /** Makes the password; default the operating system's generator. */
  readonly rng?: Rng;
  /** Most connections of a server that this call starts; default 60. */
  readonly connections?: number;
}

/**
 * Starts the embedded PostgreSQL of a state folder, or takes over the one that a killed process left running; heals what a dirty stop
 * of server or parent left behind, and restarts the server when it dies. Throws StoreError with an embedded code.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const { log, clock } = options;
  const since = clock.monotonic();
  const cluster = await prepareCluster({ ...options, rng: options.rng ?? systemRng });
  const running = await ensureRunning(cluster, clock);
  const owned = claimOwnership(cluster.places.owner);
  log.info('database.started', {
    pid: running.entry.pid,
    state: running.reused ? 'reused' : cluster.fresh ? 'new' : 'started',
    version: cluster.binaries.version,
    duration_ms: Math.round(clock.monotonic() - since),
  });
  return new Embedded({ cluster, running, owned, clock, log });
}

/** Stops the embedded server of `stateDir` and deletes its data for good; the process that owned it must have stopped it or died. */
export async function removeEmbedded(options: { stateDir: string; clock: Clock }): Promise<void> {
  if (!existsSync(options.stateDir)) return;
  const places = placesOf(options.stateDir, process.getuid?.() === 0);
  await stopLiveServer(places.data, options.clock);
  removePlaces(places);
}

interface Parts {
  readonly cluster: PreparedCluster;
  readonly running: RunningServer;
  readonly owned: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

class Embedded implements EmbeddedServer {
  readonly #parts: Parts;
  readonly #stopping = new AbortController();
  readonly #watch: Promise<void>;
  #running: RunningServer;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#running = parts.running;
    this.#watch = parts.owned ? this.#keepRunning() : Promise.resolve();
  }

  get socketDir(): string {
    return this.#parts.running.socketDir;
  }

  get pid(): number {
    return this.#running.entry.pid;
  }

  get serverVersion(): string {
    return this.#parts.cluster.binaries.version;
  }

  get reused(): boolean {
    return this.#parts.running.reused;
  }

  get owned(): boolean {
    return this.#parts.owned;
  }

  connectionString(): Secret {
    const host = encodeURIComponent(this.socketDir);
    const url = `postgresql://${SUPERUSER}:${this.#parts.cluster.password}@${host}:${SOCKET_PORT}/${DATABASE}`;
    return new Secret(Buffer.from(url));
  }

  async stop(): Promise<void> {
    const { owned, clock, cluster, log } = this.#parts;
    if (this.#stopping.signal.aborted) return this.#watch;
    this.#stopping.abort();
    await this.#watch;
    if (!owned) return;
    await stopServer(this.#running.entry, clock);
    removeSocketFolder(this.socketDir);
    releaseOwnership(cluster.places.owner);
    log.info('database.stopped', { pid: this.pid });
  }

  /** Ends only when `stop` is called: looks every half second, restarts at once, then ever more patiently. */
  async #keepRunning(): Promise<void> {
    const { clock, cluster, log } = this.#parts;
    let wait = WATCH_MS;
    while (!this.#stopping.signal.aborted) {
      await sleep(clock, wait, this.#stopping.signal);
      if (this.#stopping.signal.aborted || isAlive(this.#running.entry)) continue;
      log.warn('database.died', { pid: this.pid });
      try {
        this.#running = await ensureRunning(cluster, clock, this.socketDir);
        log.info('database.restarted', { pid: this.pid });
        wait = WATCH_MS;
      } catch (error) {
        wait = Math.min(wait * 2, LONGEST_WAIT_MS);
        log.error('database.restart_failed', errorFields(error));
      }
    }
  }
}
