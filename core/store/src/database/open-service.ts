import type { Clock, Log } from '@ringfence/base';
import { startEmbedded, type EmbeddedServer } from '../embedded/start.ts';
import { openDatabase, type DatabaseOptions } from './open.ts';
import type { Store } from './store.ts';

/** Where a service's database is: at `url`, or the embedded one of its state folder. */
export interface ServicePlace {
  readonly stateDir: string;
  readonly url: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** An open store, and the server below it when it is embedded. */
export interface OpenStore<DB, Query extends string = string> {
  readonly store: Store<DB, Query>;
  readonly close: () => Promise<void>;
}

/** Opens and migrates a service's database, starting the embedded server where there is no URL. Throws what startEmbedded and openDatabase throw. */
export async function openServiceDatabase<DB, Query extends string>(
  { stateDir, url, clock, log }: ServicePlace,
  options: Omit<DatabaseOptions<Query>, 'source' | keyof ServicePlace>,
): Promise<OpenStore<DB, Query>> {
  const embedded: EmbeddedServer | undefined =
    url === undefined ? await startEmbedded({ stateDir, log, clock }) : undefined;
  const source = embedded === undefined ? { url: url ?? '' } : { embedded };
  const store = await openDatabase<DB, Query>({ ...options, source, stateDir, clock, log }).catch(
    async (error: unknown) => {
      await embedded?.stop();
      throw error;
    },
  );
  return {
    store,
    close: async () => {
      await store.close();
      await embedded?.stop();
    },
  };
}
