import { epochMs } from '@ringfence/base';
import { proposalApproval, proposalsAnswer, type ProposalView } from '@ringfence/protocol/payload';
import type { ClaimedOrganisation } from '../claim/claimed-organisation.ts';
import type { CustodianContext } from '../context.ts';
import { proposalRows } from '../proposals/proposal-rows.ts';
import { approveProposal, objectTo } from '../proposals/propose.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of what takes two people: everybody may look, officers agree, officers and owners object. */
export function proposalRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/proposals',
      summary: 'What is proposed, and how far it is.',
      who: ['device'],
      action: 'keyring:read',
      answer: proposalsAnswer,
      handle: async (_, __, claimed) => ({ proposals: await listProposals(context, claimed) }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/proposals/:proposal/approve',
      summary: 'Agrees to what has this digest; carried out when that is enough.',
      who: ['device'],
      action: 'keyring:append',
      assured: 'by-handler',
      body: proposalApproval,
      answer: proposalsAnswer,
      handle: async ({ body: { digest }, parameters }, { id: device }, claimed) => {
        await approveProposal(context, claimed, { id: parameters['proposal'] ?? '', digest, device });
        return { proposals: await listProposals(context, claimed) };
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/proposals/:proposal/object',
      summary: 'Says no; it takes no step-up.',
      who: ['device'],
      action: 'keyring:append',
      assured: 'by-handler',
      answer: proposalsAnswer,
      handle: async ({ parameters }, { id: device }, claimed) => {
        await objectTo(context, claimed, { id: parameters['proposal'] ?? '', device });
        return { proposals: await listProposals(context, claimed) };
      },
    }),
  ];
}

async function listProposals(context: CustodianContext, { org }: ClaimedOrganisation): Promise<ProposalView[]> {
  const rows = await context.store.withOrg(org, (tx) => proposalRows(context, tx, 'all'), { readOnly: true });
  return rows.map(({ proposal, kind, digest, statement, device, made_at, state, outcome }) => ({
    proposal,
    kind,
    digest,
    statement,
    device,
    madeAt: epochMs(made_at),
    phase: state.phase,
    outcome,
    approvals: [...state.approvals],
    waitedMs: Math.round(state.waitedMs),
    expiresAt: state.expiresAt,
  }));
}
