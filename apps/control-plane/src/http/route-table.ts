import { isId } from '@ringfence/base';
import {
  agentDrain,
  agentList,
  controlPlaneAnswer,
  jobEvents,
  jobFence,
  jobList,
  jobStop,
  jobSubmission,
  jobView,
  organisationAnswer,
  organisationRegistration,
} from '@ringfence/protocol/api';
import { auditRoutes } from '../audit/audit-routes.ts';
import { ControlPlaneError } from '../control-plane-error.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { fenceAttempt } from '../jobs/fence-attempt.ts';
import { listAgents, listEvents, listJobs, viewJob } from '../jobs/job-view.ts';
import { stopJob } from '../jobs/stop-job.ts';
import { submitJob } from '../jobs/submit-job.ts';
import { accountRoutes } from '../members/account-routes.ts';
import { memberRoutes } from '../members/member-routes.ts';
import { noticeRoutes } from '../notices/notice-routes.ts';
import { serviceAccountRoutes } from '../service-accounts/service-account-routes.ts';
import { sessionRoutes } from '../sessions/session-routes.ts';
import { signOnRoutes } from '../sign-on/sign-on-routes.ts';
import { lockRoutes } from '../locks/lock-routes.ts';
import { drainAgent } from '../placement/drain-agent.ts';
import { registerOrganisation } from '../registration/register-organisation.ts';
import { passkeyRoutes } from '../passkeys/passkey-routes.ts';
import { placementRoutes } from './placement-routes.ts';
import { poolRoutes } from './pool-routes.ts';
import { deviceRoute, publicRoute, workRoute, type Route } from './route.ts';
import { jobId } from './route-ids.ts';

/** Everything that the API does: each route with its action and its shapes. */
export function routeTable(context: ControlPlaneContext, version: string): Route[] {
  return [
    ...publicRoutes(context, version),
    ...jobRoutes(context),
    ...placementRoutes(context),
    ...poolRoutes(context),
    ...agentRoutes(context),
    ...memberRoutes(context),
    ...accountRoutes(context),
    ...noticeRoutes(context),
    ...sessionRoutes(context),
    ...passkeyRoutes(context),
    ...signOnRoutes(context),
    ...serviceAccountRoutes(context),
    ...auditRoutes(context),
    ...lockRoutes(context),
  ];
}

function publicRoutes(context: ControlPlaneContext, version: string): Route[] {
  return [
    publicRoute({
      method: 'GET',
      path: '/v1/control-plane',
      summary: 'Who this control plane is, signed by its root.',
      action: 'public',
      answer: controlPlaneAnswer,
      handle: async () => ({ id: context.identity.id, version, keys: context.identity.keys }),
    }),
    publicRoute({
      method: 'POST',
      path: '/v1/organisations',
      summary: 'Registers an organisation by its custodian, against a one-time code.',
      action: 'public',
      body: organisationRegistration,
      answer: organisationAnswer,
      handle: ({ body }) => registerOrganisation(context, body),
    }),
  ];
}

function jobRoutes(context: ControlPlaneContext): Route[] {
  const { store } = context;
  return [
    deviceRoute({
      method: 'POST',
      path: '/v1/jobs',
      summary: 'Hands in a job; the same statement again gives the same answer.',
      action: 'job:submit',
      body: jobSubmission,
      answer: jobView,
      handle: ({ body }, caller) => submitJob(context, caller, body),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/jobs',
      summary: 'The newest jobs.',
      action: 'job:list',
      answer: jobList,
      handle: (_, caller) => listJobs(store, caller.org),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/jobs/:job',
      summary: 'One job with its attempts.',
      action: 'job:read',
      answer: jobView,
      handle: ({ parameters }, caller) => viewJob(store, caller.org, jobId(parameters)),
    }),
    workRoute({
      method: 'GET',
      path: '/v1/jobs/:job/events',
      summary: 'The ledger’s entries about one job.',
      action: 'job:read',
      answer: jobEvents,
      handle: ({ parameters }, caller) => listEvents(store, caller.org, jobId(parameters)),
    }),
    stopRoute(context),
    fenceRoute(context),
  ];
}

function stopRoute(context: ControlPlaneContext): Route {
  return workRoute({
    method: 'POST',
    path: '/v1/jobs/:job/stop',
    summary: 'Asks for the end of a job.',
    action: 'job:stop',
    body: jobStop,
    answer: jobView,
    handle: async ({ body, parameters }, caller) => {
      await stopJob(context, caller, { job: jobId(parameters), graceMs: body.graceMs });
      return viewJob(context.store, caller.org, jobId(parameters));
    },
  });
}

function fenceRoute(context: ControlPlaneContext): Route {
  return deviceRoute({
    method: 'POST',
    path: '/v1/jobs/:job/fence',
    summary: 'Gives up the newest attempt by an officer’s statement.',
    action: 'job:fence',
    body: jobFence,
    answer: jobView,
    handle: async ({ body, parameters }, caller) => {
      await fenceAttempt(context, caller, { job: jobId(parameters), fence: body.fence });
      return viewJob(context.store, caller.org, jobId(parameters));
    },
  });
}

function agentRoutes(context: ControlPlaneContext): Route[] {
  const { store, clock } = context;
  return [
    workRoute({
      method: 'GET',
      path: '/v1/agents',
      summary: 'The organisation’s agents and what they offer.',
      action: 'agent:list',
      answer: agentList,
      handle: (_, caller) => listAgents(store, caller.org, clock.now()),
    }),
    workRoute({
      method: 'POST',
      path: '/v1/agents/:agent/drain',
      summary: 'Gives an agent no new leases, or some again; what runs there goes on, or is told to stop.',
      action: 'agent:drain',
      body: agentDrain,
      answer: agentList,
      handle: async ({ body, parameters }, caller) => {
        const agent = parameters['agent'] ?? '';
        if (!isId('agent', agent)) throw new ControlPlaneError('not-found', 'there is no such agent');
        await drainAgent(context, caller, { agent, ...body });
        return listAgents(store, caller.org, clock.now());
      },
    }),
  ];
}
