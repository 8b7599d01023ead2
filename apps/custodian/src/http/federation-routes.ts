import { parseDigest, type Digest } from '@ringfence/crypto/sign';
import {
  federationAnswer,
  pauseRequest,
  roundAnswer,
  roundReportAnswer,
  roundReportRequest,
  roundRequest,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { askRound } from '../federation/ask-round.ts';
import { noSuchContract } from '../federation/no-such-contract.ts';
import { setPaused } from '../federation/pause.ts';
import { reportRound } from '../federation/report-round.ts';
import { showFederation } from '../federation/show-federation.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of federations: agents ask for leave before each round, members look and pause. */
export function federationRoutes(context: CustodianContext): Route[] {
  return [...agentRoutes(context), showRoute(context), pauseRoute(context, 'pause'), pauseRoute(context, 'resume')];
}

function agentRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/federations/:contract/rounds',
      summary: 'Decides whether an agent may join a round, and debits the privacy ledger before it says yes.',
      who: ['agent'],
      action: 'round:request',
      body: roundRequest,
      answer: roundAnswer,
      handle: ({ body, parameters }, { id: agent }, claimed) =>
        askRound(context, claimed, { ...body, contract: contractIn(parameters), agent }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/federations/:contract/reports',
      summary: 'Keeps what came of a round, from the agent that had leave for it.',
      who: ['agent'],
      action: 'round:request',
      body: roundReportRequest,
      answer: roundReportAnswer,
      handle: async ({ body, parameters }, { id: agent }, claimed) => ({
        stored: await reportRound(context, claimed, { ...body, contract: contractIn(parameters), agent }),
      }),
    }),
  ];
}

function showRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'GET',
    path: '/v1/federations/:contract',
    summary: 'This organisation’s part in a federation: its jobs and the rounds that they had leave for.',
    who: ['device'],
    action: 'contract:read',
    answer: federationAnswer,
    handle: ({ parameters }, _, claimed) => showFederation(context, claimed, contractIn(parameters)),
  });
}

function pauseRoute(context: CustodianContext, verb: 'pause' | 'resume'): Route {
  return memberRoute({
    method: 'POST',
    path: `/v1/federations/:contract/${verb}`,
    summary: verb === 'pause' ? 'Lets no round begin for now.' : 'Lets rounds begin again.',
    who: ['device'],
    action: 'federation:pause',
    body: pauseRequest,
    answer: federationAnswer,
    handle: async ({ parameters }, { id: device }, claimed) => {
      const contract = contractIn(parameters);
      await setPaused(context, claimed, { contract, device, paused: verb === 'pause' });
      return showFederation(context, claimed, contract);
    },
  });
}

function contractIn(parameters: Readonly<Record<string, string>>): Digest {
  const contract = parseDigest(parameters['contract'] ?? '');
  if (contract !== undefined) return contract;
  throw noSuchContract();
}
