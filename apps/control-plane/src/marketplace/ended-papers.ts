import type { AgentId } from '@ringfence/base';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { eachForItself } from '../placement/ends-round.ts';
import { endEvidence } from '../placement/site-evidence.ts';
import { endAdmission } from './take-admission.ts';

const MOST_AT_ONCE = 200;

/** Strikes out admissions and documents whose end this control plane has seen: a clock that is set back makes none of them count again. */
export async function strikeEndedPapers(context: ControlPlaneContext): Promise<void> {
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
  await eachForItself(context, admissions, ({ org, id }) =>
    changes.run(org, async (tx) => {
      await term.assertHeld(tx);
      await endAdmission(context, tx, { org, agent: id as AgentId });
    }),
  );
  await eachForItself(context, documents, ({ org, evidence }) =>
    changes.run(org, async (tx) => {
      await term.assertHeld(tx);
      await endEvidence(context, tx, org, evidence);
    }),
  );
}
