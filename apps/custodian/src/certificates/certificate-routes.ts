import { agentCertificateAnswer } from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { memberRoute, type Route } from '../http/route.ts';

/** The one route that an agent's key opens without a certificate. */
export function certificateRoutes({ certificates }: Pick<CustodianContext, 'certificates'>): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/agents/:agent/certificate',
      summary: 'A certificate of an hour for the key that the agent’s link proves.',
      who: ['agent'],
      action: 'agent:renew',
      resource: 'agent',
      uncertified: true,
      answer: agentCertificateAnswer,
      handle: ({ parameters }, { id, peer }, { org }) => {
        if (parameters['agent'] !== id)
          throw new CustodianError('not-authorised', 'an agent is certified by itself alone');
        return certificates.issue(org, id, peer.key);
      },
    }),
  ];
}
