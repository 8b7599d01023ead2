import { sql } from 'kysely';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { keyedDigest } from './keyed-digest.ts';
import { tooSoon } from './too-soon.ts';

/** The wait after the first wrong try, and the longest; it doubles in between. */
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 900_000;
const MOST_DOUBLINGS = 10;

type Parts = Pick<ControlPlaneContext, 'store' | 'clock' | 'identity'>;

/** A try of a name that counts as wrong until it turns out right; the same for a name that nobody has. */
export interface NamedTry {
  /** Forgets the wrong ones before. */
  readonly right: () => Promise<void>;
}

/**
 * Begins a try of `name`: of many at once one begins, over all replicas, since the statement that lets it begin makes the next one wait. Throws
 * ControlPlaneError `too-much` for a try before its time, which counts as none.
 */
export async function beginTry({ store, clock, identity }: Parts, name: string): Promise<NamedTry> {
  const bucket = keyedDigest(identity.records, 'wrong-try', name);
  const now = clock.now();
  const begun = await store.withSystem('wrong-tries', (tx) =>
    sql`
      insert into wrong_try as known (bucket, tries, until_at) values (${bucket}, 1, ${now + FIRST_WAIT_MS})
      on conflict (bucket) do update set
        tries = known.tries + 1,
        until_at = ${now} + least(${LONGEST_WAIT_MS}, ${FIRST_WAIT_MS} * 2 ^ least(known.tries, ${MOST_DOUBLINGS}))::bigint
      where known.until_at <= ${now}
      returning tries`.execute(tx),
  );
  if (begun.rows.length === 0) throw tooSoon(await waitOf(store, bucket, now));
  return {
    right: async () => {
      await store.withSystem('wrong-tries', (tx) => tx.deleteFrom('wrong_try').where('bucket', '=', bucket).execute());
    },
  };
}

/** {@link beginTry} by somebody at an address: what comes too soon counts there, so a flood is sent away without a look into the database. */
export async function beginTryFrom(
  parts: Parts & Pick<ControlPlaneContext, 'addressTries'>,
  { name, address }: { readonly name: string; readonly address: string },
): Promise<NamedTry> {
  parts.addressTries.assertMayTry(address);
  return beginTry(parts, name).catch((error: unknown) => {
    if (error instanceof ControlPlaneError && error.code === 'too-much') parts.addressTries.wrong(address);
    throw error;
  });
}

async function waitOf(store: Parts['store'], bucket: string, now: number): Promise<number> {
  const [row] = await store.querySystem('wrong-tries', (db) =>
    db.selectFrom('wrong_try').select('until_at').where('bucket', '=', bucket).compile(),
  );
  return Math.max(0, (row?.until_at ?? now) - now);
}
