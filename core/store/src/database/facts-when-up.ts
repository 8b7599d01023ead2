import { sleep, type Clock, type Log, type Secret } from '@ringfence/base';
import { StoreError } from '../store-error.ts';
import { CALL_LIMITS, clientConfig, withClient } from './connection.ts';
import type { DatabaseFacts } from './production.ts';
import { parseDatabaseUrl, type ServerAddress } from './server-address.ts';
import { readServerFacts } from './server-facts.ts';

const FIRST_RETRY_MS = 100;
const CONNECT_WITHIN_MS = 30_000;

/** How long, and in whose name, a server is waited for. */
export interface WaitForServer {
  readonly schema: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Default 30,000. */
  readonly connectWithinMs?: number;
}

/** What the server at `url` is: asked of its settings alone, nothing in it is made or changed. Throws StoreError as {@link factsWhenUp} does. */
export function lookAtDatabase(url: string | Secret, options: WaitForServer): Promise<DatabaseFacts> {
  return factsWhenUp(parseDatabaseUrl(url), 'url', options);
}

/** What a server is, once it answers. Throws StoreError `unavailable` when it does not in time, and the codes of connecting. */
export async function factsWhenUp(
  admin: ServerAddress,
  kind: DatabaseFacts['kind'],
  { schema, clock, log, connectWithinMs = CONNECT_WITHIN_MS }: WaitForServer,
): Promise<DatabaseFacts> {
  const deadline = clock.monotonic() + connectWithinMs;
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(wait * 2, 2000)) {
    try {
      return await withClient(clientConfig(admin, schema, CALL_LIMITS), (client) =>
        readServerFacts(client, kind, admin.protection),
      );
    } catch (error) {
      const isAway = error instanceof StoreError && error.code === 'unavailable';
      if (!isAway || clock.monotonic() + wait > deadline) throw error;
      log.info('database.waiting', { code: error.code });
      await sleep(clock, wait);
    }
  }
}
