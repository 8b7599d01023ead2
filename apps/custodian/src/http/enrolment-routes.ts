import { isId, type AgentId } from '@ringfence/base';
import {
  admissionRenewal,
  agentRemoval,
  agentsAnswer,
  claimAnswer,
  claimKeysAnswer,
  claimKeysRequest,
  claimRequest,
  joinAnswer,
  joinCodeAnswer,
  joinCodeRequest,
  joinCodesAnswer,
  joinRequest,
  keyringAnswer,
  keyringAppend,
} from '@ringfence/protocol/payload';
import { listAgents } from '../agents/agent-list.ts';
import { removeAgent } from '../agents/remove-agent.ts';
import type { Claiming } from '../claim/claim.ts';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { joinAgent } from '../join/join-agent.ts';
import { createJoinCode, listJoinCodes } from '../join/join-codes.ts';
import { statementsAfter } from '../keyring/statement-rows.ts';
import { takeStatement } from '../proposals/propose.ts';
import { renewAdmission } from '../marketplace/renew-admission.ts';
import { memberRoute, openRoute, type Route } from './route.ts';

/** What strangers may send: a keyring statement is small, and a claim brings up to 64; a join is a handful of keys. */
const LONGEST_CLAIM = 1_048_576;
const LONGEST_JOIN = 65_536;

/** Routes by which people, devices and agents come and go. `claiming` is undefined once the claim is over. */
export function enrolmentRoutes(context: CustodianContext, claiming: () => Claiming | undefined): Route[] {
  return [
    ...claimRoutes(claiming),
    openRoute({
      method: 'POST',
      path: '/v1/join',
      summary: 'Spends a join code for the keys of the agent that asks.',
      who: 'anybody',
      body: joinRequest,
      answer: joinAnswer,
      longest: LONGEST_JOIN,
      handle: ({ body }, { peer }) => {
        const { claimed } = context.owner;
        if (claimed === undefined) throw new CustodianError('unclaimed', 'this custodian has no organisation yet');
        return joinAgent(context, claimed, body, peer);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/join-codes',
      summary: 'Makes a join code; its text is shown once.',
      who: ['device'],
      action: 'join-code:create',
      body: joinCodeRequest,
      answer: joinCodeAnswer,
      handle: ({ body }, { id }, claimed) => createJoinCode(context, claimed, { request: body, device: id }),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/join-codes',
      summary: 'Join codes without their secrets.',
      who: ['device'],
      action: 'join-code:create',
      answer: joinCodesAnswer,
      handle: (_, __, claimed) => listJoinCodes(context, claimed),
    }),
    ...keyringRoutes(context),
    ...agentRoutes(context),
  ];
}

function claimRoutes(claiming: () => Claiming | undefined): Route[] {
  const open = (): Claiming => {
    const now = claiming();
    if (now !== undefined) return now;
    throw new CustodianError('claimed', 'this custodian has an organisation already', {
      next: 'use the profile of the organisation that has it, or set up another custodian',
    });
  };
  return [
    openRoute({
      method: 'POST',
      path: '/v1/claim/keys',
      summary: 'The custodian’s keys, proven with the claim secret.',
      who: 'anybody',
      body: claimKeysRequest,
      answer: claimKeysAnswer,
      longest: LONGEST_CLAIM,
      handle: async ({ body }, { peer }) => open().keys(body.proof, peer),
    }),
    openRoute({
      method: 'POST',
      path: '/v1/claim',
      summary: 'Makes the holder of the claim code the owner: its keyring is stored, the organisation registered.',
      who: 'anybody',
      body: claimRequest,
      answer: claimAnswer,
      longest: LONGEST_CLAIM,
      handle: async ({ body }, { peer }) => open().claim(body, peer),
    }),
  ];
}

function keyringRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/keyring',
      summary: 'Statements after a number, and the signed head.',
      who: ['device', 'agent'],
      action: 'keyring:read',
      answer: keyringAnswer,
      handle: ({ query }, _, claimed) => statementsAfter(context, claimed, Number(query['after'] ?? -1)),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/keyring',
      summary: 'Adds a statement that the root or a device signed.',
      who: ['device'],
      action: 'keyring:append',
      assured: 'by-handler',
      body: keyringAppend,
      answer: keyringAnswer,
      handle: async ({ body: { statement } }, { id }, claimed) => {
        const before = claimed.keyring.head.seq;
        await takeStatement(context, claimed, { kind: 'keyring', statement, device: id });
        return statementsAfter(context, claimed, before);
      },
    }),
  ];
}

function agentRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/agents',
      summary: 'Agents by name, and how to reach them.',
      who: ['device'],
      action: 'agent:list',
      answer: agentsAnswer,
      handle: (_, __, claimed) => listAgents(context, claimed),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/agents/:agent/remove',
      summary: 'Removes an agent for good.',
      who: ['device'],
      action: 'agent:remove',
      resource: 'agent',
      body: agentRemoval,
      answer: agentsAnswer,
      handle: async ({ body, parameters }, _, claimed) => {
        await removeAgent(context, claimed, agentId(parameters), body.reason);
        return listAgents(context, claimed);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/agents/:agent/renew',
      summary: 'Takes new papers of a provider’s machine, from a device or from that machine itself.',
      who: ['device', 'agent'],
      action: 'agent:renew',
      resource: 'agent',
      body: admissionRenewal,
      answer: keyringAnswer,
      longest: LONGEST_JOIN,
      handle: async ({ body, parameters }, caller, claimed) => {
        const agent = agentId(parameters);
        if (caller.kind === 'agent' && caller.id !== agent)
          throw new CustodianError('not-authorised', 'a machine renews its own admission alone');
        const before = claimed.keyring.head.seq;
        await renewAdmission(context, claimed, agent, body);
        return statementsAfter(context, claimed, before);
      },
    }),
  ];
}

function agentId(parameters: Readonly<Record<string, string>>): AgentId {
  const id = parameters['agent'] ?? '';
  if (isId('agent', id)) return id;
  throw new CustodianError('not-found', 'there is no such agent', { next: 'see `ringfence agent ls`' });
}
