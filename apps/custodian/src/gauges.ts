import { countAccusations } from './audit/accusations.ts';
import type { CustodianContext } from './context.ts';
import type { CustodianMetrics } from './metrics.ts';

/** The metrics' text, with the gauges as they stand. */
export async function readMetrics(
  metrics: CustodianMetrics,
  { link, owner, clock, store, logs }: CustodianContext,
): Promise<{ contentType: string; body: string }> {
  metrics.controlLink.set(link.state === 'up' ? 1 : 0);
  const { claimed } = owner;
  if (claimed !== undefined) {
    metrics.headAge.set((clock.now() - claimed.headAt) / 1000);
    const { count } = await store.withOrg(claimed.org, (tx) =>
      tx
        .selectFrom('outbox')
        .select((build) => build.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow(),
    );
    metrics.outbox.set(count);
    metrics.auditFailures.set(logs.sequencing.failures);
    metrics.logsAccused.set(await countAccusations({ store }, claimed.org));
  }
  return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
}
