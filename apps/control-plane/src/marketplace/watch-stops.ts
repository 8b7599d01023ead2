import { LEASE_GRACE_MS, LEASE_TTL_MS, isOnline } from '../jobs/clock-terms.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { inTurns, watchLeases, type SeenLeases } from '../jobs/silent-leases.ts';
import { eachForItself } from '../placement/ends-round.ts';
import { noteConduct } from './note-conduct.ts';

const MOST_AT_ONCE = 200;

/**
 * Avoids the offers of agents that are there and were told to end an attempt, and have not when its grace and a lease are over, as this process
 * itself watched. The attempt stays theirs: a lease is not taken from an agent that may be bringing what the job has made. Takes and returns what
 * was seen so far.
 */
export async function watchStops(context: ControlPlaneContext, seen: SeenLeases): Promise<SeenLeases> {
  const now = context.clock.now();
  const rows = await context.store.withSystem(
    'unheeded-stops',
    (tx) =>
      tx
        .selectFrom('attempt')
        .innerJoin('party', 'party.id', 'attempt.agent')
        .innerJoin('offer', 'offer.agent', 'attempt.agent')
        .select(['attempt.org', 'attempt.job', 'attempt.attempt', 'attempt.agent', 'stop_grace_ms', 'seen_at'])
        .where('attempt.live', '=', true)
        .where('attempt.stop_sent', '=', true)
        .where('avoided_until', 'is', null)
        .execute(),
    { readOnly: true },
  );
  const there = rows.filter(({ seen_at }) => isOnline(seen_at, now)).map((row) => ({ ...row, renewals: 0 }));
  const watched = watchLeases(seen, there, {
    now: context.clock.monotonic(),
    silence: ({ stop_grace_ms }) => (stop_grace_ms ?? 0) + LEASE_TTL_MS + LEASE_GRACE_MS,
  });
  await eachForItself(context, inTurns(watched.silent, MOST_AT_ONCE), ({ org, job, attempt, agent }) =>
    context.changes.run(org, async (tx) => {
      await context.term.assertHeld(tx);
      const live = await tx
        .selectFrom('attempt')
        .select('live')
        .where('job', '=', job)
        .where('attempt', '=', attempt)
        .where('live', '=', true)
        .executeTakeFirst();
      if (live !== undefined) await noteConduct(context, tx, { org, agent }, { kind: 'ignored-stop' });
    }),
  );
  return watched.seen;
}
