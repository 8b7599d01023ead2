import { jobPolicyFaults } from '@ringfence/policy/authorise';
import { ownRoleFaults } from '@ringfence/policy/roles';
import {
  accessAnswer,
  accessRequest,
  policyAnswer,
  policyCheckAnswer,
  policyCheckRequest,
  policyForecast,
  policyQuestion,
  policyRequest,
  profileRequest,
  profilesAnswer,
} from '@ringfence/protocol/payload';
import { askAccess } from '../access/ask-access.ts';
import type { CustodianContext } from '../context.ts';
import { takeStatement } from '../proposals/propose.ts';
import { currentPolicy, foretellPolicy } from '../rules/organisation-policy.ts';
import { listProfiles, setProfile } from '../rules/profiles.ts';
import { LONGEST_DEPOSIT } from './job-routes.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of what officers sign: members read it, officers' devices sign the next version. */
export function ruleRoutes(context: CustodianContext): Route[] {
  return [...profileRoutes(context), ...policyRoutes(context), accessRoute(context)];
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
      assured: 'by-handler',
      body: policyRequest,
      answer: policyAnswer,
      handle: async ({ body: { statement } }, { id }, claimed) => {
        await takeStatement(context, claimed, { kind: 'policy', statement, device: id });
        return { statement };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/policy/check',
      summary: 'Says what would keep a text from being a policy; nothing is kept.',
      who: ['device'],
      action: 'policy:read',
      body: policyCheckRequest,
      answer: policyCheckAnswer,
      handle: async ({ body: { cedar, access = '' } }) => ({
        faults: [...jobPolicyFaults(cedar), ...ownRoleFaults(access)],
      }),
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

function accessRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/access',
    summary: 'Says what the roles decide, and by which policies; by a text that is only tried where one is given.',
    who: ['device'],
    action: 'policy:read',
    body: accessRequest,
    answer: accessAnswer,
    handle: async ({ body }, _, claimed) => ({ answers: askAccess(context, claimed, body) }),
  });
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
