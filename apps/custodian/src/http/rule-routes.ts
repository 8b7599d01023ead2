import { profileRequest, profilesAnswer } from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { listProfiles, setProfile } from '../rules/profiles.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of what officers sign: members read it, officers' devices sign the next version. */
export function ruleRoutes(context: CustodianContext): Route[] {
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
