import type { AgentId, MonotonicMs } from '@ringfence/base';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { eachForItself } from '../placement/ends-round.ts';
import { endEvidence } from '../placement/site-evidence.ts';
import { endAdmission } from './take-admission.ts';

const MOST_AT_ONCE = 200;
/** So long a paper has to be over before it is struck out: a clock that is wrong for a moment ends none for good. */
const OVER_FOR_MS = 15_000;

/** Since when a process has seen that a paper is over; empty when it starts. */
export type SeenEnds = ReadonlyMap<string, MonotonicMs>;

/**
 * Strikes out admissions and documents whose end this control plane has seen for 15 s of its monotonic clock: a wall clock that is set back
 * makes none of them count again. Until then placement goes by the wall clock. Takes and returns what was seen so far.
 */
export async function strikeEndedPapers(context: ControlPlaneContext, seen: SeenEnds): Promise<SeenEnds> {
  const now = context.clock.now();
  const { store, changes, term } = context;
  const { admissions, documents } = await store.withSystem(
    'ended-papers',
    async (tx) => ({
      admissions: await tx
        .selectFrom('party')
        .select(['org', 'id'])
        .where('admitted_until', '>', 0)
        .where('admitted_until', '<=', now)
        .orderBy('admitted_until')
        .limit(MOST_AT_ONCE)
        .execute(),
      documents: await tx
        .selectFrom('site_evidence')
        .select(['org', 'evidence'])
        .distinct()
        .where('until_at', '<=', now)
        .limit(MOST_AT_ONCE)
        .execute(),
    }),
    { readOnly: true },
  );
  const ends = new Map<string, MonotonicMs>();
  const isStruck = (paper: string): boolean => {
    const at = context.clock.monotonic();
    const since = seen.get(paper) ?? at;
    ends.set(paper, since);
    return at - since >= OVER_FOR_MS;
  };
  const ended = admissions.filter(({ org, id }) => isStruck(`${org} ${id}`));
  await eachForItself(context, ended, ({ org, id }) =>
    changes.run(org, async (tx) => {
      await term.assertHeld(tx);
      await endAdmission(context, tx, { org, agent: id as AgentId });
    }),
  );
  const over = documents.filter(({ org, evidence }) => isStruck(`${org} ${evidence}`));
  await eachForItself(context, over, ({ org, evidence }) =>
    changes.run(org, async (tx) => {
      await term.assertHeld(tx);
      await endEvidence(context, tx, org, evidence);
    }),
  );
  return ends;
}
