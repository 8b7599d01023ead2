import { sql } from 'kysely';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { MANY_TRIES } from './wrong-tries.ts';

const DAY_MS = 86_400_000;
/** The oldest that a given factor counts is 12 hours. */
const FACTOR_KEPT_MS = DAY_MS;
/** Wrong tries of which a name's member is to be told. */
const TRIES_KEPT_MS = 30 * DAY_MS;
const NOTICES_KEPT_MS = 90 * DAY_MS;

/** Drops sessions that were over a day ago, factors that count for nothing any more, tries of names that nobody has tried for a day, and old notices. */
export async function forgetStale({ store, clock }: Pick<ControlPlaneContext, 'store' | 'clock'>): Promise<void> {
  const now = clock.now();
  await store.withSystem('forget-sessions', async (tx) => {
    await tx
      .deleteFrom('session')
      .where('ends_at', '<', now - DAY_MS)
      .execute();
    await tx
      .deleteFrom('given_factor')
      .where('at', '<', now - FACTOR_KEPT_MS)
      .execute();
    // Spelled as the index `wrong_try_slip` is: strangers can make many rows that stay, and this runs each second.
    await tx
      .deleteFrom('wrong_try')
      .where('until_at', '<', now - DAY_MS)
      .where(sql<boolean>`tries + earlier < ${sql.lit(MANY_TRIES)} and not half_right`)
      .execute();
    await tx
      .deleteFrom('wrong_try')
      .where('until_at', '<', now - TRIES_KEPT_MS)
      .execute();
  });
  await store.withSystem('forget-notices', (tx) =>
    tx
      .deleteFrom('notice')
      .where('at', '<', now - NOTICES_KEPT_MS)
      .execute(),
  );
}
