import { identityAnswer, identityKeys, identityRequest } from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { memberRoute, type Route } from '../http/route.ts';
import { issueIdentity } from './issue-identity.ts';

/** Routes of tokens of jobs. */
export function identityRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/identities',
      summary:
        'A token by which the current attempt shows one audience of its job file which job it is, no longer than its lease.',
      who: ['agent'],
      action: 'identity:request',
      body: identityRequest,
      answer: identityAnswer,
      handle: ({ body }, { id }, claimed) => issueIdentity(context, claimed, body, id),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/identities/keys',
      summary: 'The keys that tokens of jobs are checked with, as a JSON Web Key Set.',
      who: ['device'],
      action: 'keyring:read',
      answer: identityKeys,
      handle: async (_, __, { org }) => context.identities.keys(org),
    }),
  ];
}
