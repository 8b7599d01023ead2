import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { eachForItself } from '../placement/ends-round.ts';
import { MOST_AVOIDED_MS } from './step-avoidance.ts';
import { endAvoidance } from './note-conduct.ts';

/** Lets offers get jobs again whose time of avoidance is over. */
export async function endAvoidances(context: ControlPlaneContext): Promise<void> {
  const now = context.clock.now();
  const due = await context.store.withSystem(
    'ended-avoidances',
    (tx) =>
      tx
        .selectFrom('offer')
        .select(['org', 'agent'])
        // One whose end lies further ahead than any can was written by a clock that was ahead.
        .where((has) => has.or([has('avoided_until', '<=', now), has('avoided_until', '>', now + MOST_AVOIDED_MS)]))
        .limit(200)
        .execute(),
    { readOnly: true },
  );
  await eachForItself(context, due, ({ org, agent }) =>
    context.changes.run(org, async (tx) => {
      await context.term.assertHeld(tx);
      await endAvoidance(context, tx, { org, agent });
    }),
  );
}
