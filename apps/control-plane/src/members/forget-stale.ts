import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';

const DAY_MS = 86_400_000;
/** The oldest that a given factor counts is 12 hours. */
const FACTOR_KEPT_MS = DAY_MS;

/** Drops sessions that were over a day ago, factors that count for nothing any more, and tries of names that nobody has tried for a day. */
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
    await tx
      .deleteFrom('wrong_try')
      .where('until_at', '<', now - DAY_MS)
      .execute();
  });
}
