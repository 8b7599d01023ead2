import { evidenceAnswer, evidenceRequest, evidenceRevocationRequest } from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { addEvidence, listEvidence, listEvidenceOf, revokeEvidence } from '../evidence/evidence-rows.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of evidence: members bring documents that issuers signed; agents read them before a start. */
export function evidenceRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/evidence',
      summary: 'Evidence as its issuers signed it, revocations included; for an agent, that about its own site.',
      who: ['device', 'agent'],
      action: 'evidence:read',
      answer: evidenceAnswer,
      handle: async (_, caller, claimed) => ({
        evidence: await context.store.withOrg(claimed.org, (tx) =>
          caller.kind === 'device' ? listEvidence(tx) : listEvidenceOf(tx, claimed.keyring.agent(caller.id)?.site),
        ),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/evidence',
      summary: 'Keeps a document whose issuer the keyring pins.',
      who: ['device'],
      action: 'evidence:add',
      body: evidenceRequest,
      answer: evidenceAnswer,
      handle: async ({ body }, { id }, claimed) => ({
        evidence: await addEvidence(context, claimed, body.document, id),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/evidence/:digest/revoke',
      summary: 'Keeps the issuer’s word that a document counts no more.',
      who: ['device'],
      action: 'evidence:revoke',
      body: evidenceRevocationRequest,
      answer: evidenceAnswer,
      handle: async ({ parameters, body }, { id: device }, claimed) => {
        const { digest = '' } = parameters;
        return { evidence: await revokeEvidence(context, claimed, { digest, revocation: body.revocation, device }) };
      },
    }),
  ];
}
