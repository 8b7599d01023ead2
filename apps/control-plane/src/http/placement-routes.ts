import { offerList, planAnswer, planRequest, whyNotAnswer } from '@ringfence/protocol/api';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { explainJob, listOffers, planPlacement, whyNotThere } from '../placement/ask-placement.ts';
import { workRoute, type Route } from './route.ts';
import { jobId, noSuchOffer, offerId } from './route-ids.ts';

/** What is asked of placement and reserves nothing. */
export function placementRoutes(context: ControlPlaneContext): Route[] {
  return [
    workRoute({
      method: 'POST',
      path: '/v1/plan',
      summary: 'What placement would decide now; nothing is reserved.',
      action: 'job:plan',
      body: planRequest,
      answer: planAnswer,
      handle: ({ body }, caller) => planPlacement(context, caller.org, body),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/offers',
      summary: 'What jobs could be placed on, and what is wrong with offers that get none.',
      action: 'agent:list',
      answer: offerList,
      handle: async (_, caller) => ({ offers: await listOffers(context, caller.org) }),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/jobs/:job/why',
      summary: 'What placement would decide now about a job that was handed in.',
      action: 'job:read',
      answer: planAnswer,
      handle: ({ parameters }, caller) => explainJob(context, caller.org, jobId(parameters)),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/jobs/:job/why/:offer',
      summary: 'All that one offer fails for a job, or its score.',
      action: 'job:read',
      answer: whyNotAnswer,
      handle: async ({ parameters }, caller) => {
        const of = { org: caller.org, job: jobId(parameters), offer: offerId(parameters) };
        const why = await whyNotThere(context, of);
        if (why === undefined) throw noSuchOffer();
        return why;
      },
    }),
  ];
}
