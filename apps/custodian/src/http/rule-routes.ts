import { jobPolicyFaults } from '@ringfence/policy/authorise';
import {
  policyAnswer,
  policyCheckAnswer,
  policyCheckRequest,
  policyForecast,
  policyQuestion,
  policyRequest,
  profileRequest,
  profilesAnswer,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { currentPolicy, foretellPolicy, setPolicy } from '../rules/organisation-policy.ts';
import { listProfiles, setProfile } from '../rules/profiles.ts';
import { LONGEST_DEPOSIT } from './job-routes.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of what officers sign: members read it, officers' devices sign the next version. */
export function ruleRoutes(context: CustodianContext): Route[] {
  return [...profileRoutes(context), ...policyRoutes(context)];
}

function policyRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/policy',
      summary: 'The organisation’s policy, as its officers signed it.',
      who: ['device'],
      action: 'policy:read',
      answer: policyAnswer,
      handle: async (_, __, claimed) => ({
        statement: await context.store.withOrg(claimed.org, (tx) => currentPolicy(context, tx)),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/policy',
      summary: 'Keeps the next policy that officers signed.',
      who: ['device'],
      action: 'policy:set',
      body: policyRequest,
      answer: policyAnswer,
      handle: async ({ body }, { id }, claimed) => ({
        statement: await setPolicy(context, claimed, body.statement, id),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/policy/check',
      summary: 'Says what would keep a text from being a policy; nothing is kept.',
      who: ['device'],
      action: 'policy:read',
      body: policyCheckRequest,
      answer: policyCheckAnswer,
      handle: async ({ body }) => ({ faults: [...jobPolicyFaults(body.cedar)] }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/policy/foretell',
      summary: 'Says which policies would forbid the deposit of a job; nothing is kept.',
      who: ['device'],
      action: 'label:compute',
      body: policyQuestion,
      answer: policyForecast,
      longest: LONGEST_DEPOSIT,
      handle: async ({ body }, { id }, claimed) => ({
        forbidden: [...(await foretellPolicy(context, claimed, body, id))],
      }),
    }),
  ];
}

function profileRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/profiles',
      summary: 'The newest version of every profile, as an officer signed it.',
      who: ['device'],
      action: 'profile:list',
      answer: profilesAnswer,
      handle: async (_, __, claimed) => ({
        profiles: await context.store.withOrg(claimed.org, (tx) => listProfiles(context, tx)),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/profiles',
      summary: 'Keeps the next version of a profile, or its removal, that an officer signed.',
      who: ['device'],
      action: 'profile:set',
      body: profileRequest,
      answer: profilesAnswer,
      handle: async ({ body }, { id }, claimed) => ({
        profiles: await setProfile(context, claimed, body.statement, id),
      }),
    }),
  ];
}
