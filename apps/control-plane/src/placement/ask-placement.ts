import type { JobId, OfferId, OrgId } from '@ringfence/base';
import { signedWishes, type Placement, type PlacementRequest } from '@ringfence/policy/placement';
import type { OfferView, PlanAnswer, planRequest, WhyNotAnswer } from '@ringfence/protocol/api';
import type { z } from 'zod';
import { gateAsked } from '../burst/pool-gate.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { noSuchJob } from '../jobs/job-view.ts';
import { spotUnderDeadline } from '../spot/spot-under-deadline.ts';
import type { Tx } from '../store/open-store.ts';
import type { KeptInventory } from './kept-inventory.ts';
import { offerView } from './offer-view.ts';
import { requestOf } from './waiting-job.ts';

/** What placement would decide now about a job that was not handed in; reserves nothing. */
export function planPlacement(
  context: ControlPlaneContext,
  org: OrgId,
  { placement, ...label }: z.output<typeof planRequest>,
): Promise<PlanAnswer> {
  const asked = { placement, label: { ...label, residency: placement.residency }, wishes: signedWishes(placement) };
  return asking(context, org, (tx, kept) => {
    const request = spotUnderDeadline({ ...asked, now: context.clock.now() });
    return answer(tx, kept, { org, request });
  });
}

/** What placement would decide now about a job that was handed in, whatever its state. Throws ControlPlaneError `not-found`. */
export function explainJob(context: ControlPlaneContext, org: OrgId, job: JobId): Promise<PlanAnswer> {
  return asking(context, org, async (tx, kept) =>
    answer(tx, kept, { org, request: await requestFor(context, tx, job) }),
  );
}

/**
 * All that one offer fails for a job, or its score; undefined for an offer that is not there, or takes no jobs at all. Throws
 * ControlPlaneError `not-found` for the job.
 */
export function whyNotThere(
  context: ControlPlaneContext,
  { org, job, offer }: { readonly org: OrgId; readonly job: JobId; readonly offer: OfferId },
): Promise<WhyNotAnswer | undefined> {
  return asking(context, org, async (tx, kept) => {
    const { request } = await gateAsked(tx, org, await requestFor(context, tx, job));
    const why = kept.whyNot(request, offer);
    if (why === undefined || why.fits) return why;
    return { fits: false, failed: [...why.failed] };
  });
}

/** All offers of an organisation, those that get no jobs too. */
export function listOffers(context: ControlPlaneContext, org: OrgId): Promise<OfferView[]> {
  return asking(context, org, async (tx, kept) => {
    const rows = await tx.selectFrom('offer').select('offer').where('cordoned', '=', true).execute();
    const cordoned = new Set(rows.map(({ offer }) => offer));
    return kept.all().map((known) => ({ ...offerView(known), cordoned: cordoned.has(known.mark.offer) }));
  });
}

function asking<T>(
  { store, asked, clock }: ControlPlaneContext,
  org: OrgId,
  ask: (tx: Tx, kept: KeptInventory) => Promise<T>,
): Promise<T> {
  const kept = asked.of(org);
  return store.withOrg(
    org,
    async (tx) => {
      await kept.bringUpToDate(tx, clock.now());
      return ask(tx, kept);
    },
    { readOnly: true },
  );
}

async function requestFor({ clock }: ControlPlaneContext, tx: Tx, job: JobId): Promise<PlacementRequest> {
  const row = await tx
    .selectFrom('job')
    .select(['placement', 'label_envelope'])
    .where('job', '=', job)
    .executeTakeFirst();
  if (row === undefined) throw noSuchJob();
  return requestOf(row, clock.now());
}

/** As it would be decided in the organisation's turn: its pool may let less pass than the job asks for. */
async function answer(
  tx: Tx,
  kept: KeptInventory,
  { org, request }: { readonly org: OrgId; readonly request: PlacementRequest },
): Promise<PlanAnswer> {
  const { request: gated, notAway } = await gateAsked(tx, org, request);
  const asked = answerOf(kept.place(gated));
  if (notAway === undefined) return asked;
  // While its pool keeps it at home, other tiers in its file would bring it nothing.
  const staysHome = notAway.some((refusal) => refusal !== 'may-not-leave');
  const relaxations = asked.relaxations.filter(({ giveUp }) => !staysHome || !giveUp.includes('tier'));
  return { ...asked, relaxations, notAway: [...notAway] };
}

function answerOf({ decision, considered, feasible, explanation, top }: Placement): PlanAnswer {
  const { refused, failed, soleFailures, relaxations } = explanation;
  const reasons = decision.allow ? [] : decision.reasons;
  return {
    considered,
    feasible,
    refused: [...refused],
    failed: [...failed],
    soleFailures: [...soleFailures],
    relaxations: relaxations.map(({ giveUp, offers }) => ({ giveUp: [...giveUp], offers })),
    top: [...top],
    chosen: decision.allow ? chosenOf(decision.chosen) : null,
    looserThanLabel: reasons.flatMap((reason) => (reason.code === 'looser-than-label' ? [reason.field] : [])),
  };
}

function chosenOf({ offer, agent, tier, isolation }: NonNullable<PlanAnswer['chosen']>): PlanAnswer['chosen'] {
  return { offer, agent, tier, isolation };
}
