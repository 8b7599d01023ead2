import {
  erasureAnswer,
  erasureRequest,
  erasuresAnswer,
  memberErasureAnswer,
  retentionAnswer,
  retentionRequest,
} from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { eraseMember } from '../erasure/erase-member.ts';
import { erase } from '../erasure/erase.ts';
import { listErasures } from '../erasure/list-erasures.ts';
import { exportOrganisation } from '../export/export-organisation.ts';
import { listRetention, setRetention } from '../retention/retention-rules.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of how long data is kept, how it is erased, and how it is taken out. */
export function dataRoutes(context: CustodianContext): Route[] {
  return [...retentionRoutes(context), ...erasureRoutes(context), exportRoute(context)];
}

function retentionRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/retention',
      summary: 'How long data and logs are kept.',
      who: ['device'],
      action: 'artifact:list',
      answer: retentionAnswer,
      handle: async (_, __, claimed) => ({
        rules: await context.store.withOrg(claimed.org, (tx) => listRetention(context, tx)),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/retention',
      summary: 'Sets how long versions of a name, or logs, are kept.',
      who: ['device'],
      action: 'dataset:retain',
      body: retentionRequest,
      answer: retentionAnswer,
      handle: async ({ body }, { id }, claimed) => ({ rules: await setRetention(context, claimed, body, id) }),
    }),
  ];
}

function erasureRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/erasures',
      summary: 'Signed reports of what was erased, the newest first.',
      who: ['device'],
      action: 'artifact:list',
      answer: erasuresAnswer,
      handle: async (_, __, claimed) => ({ erasures: await listErasures(context, claimed) }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/erasures',
      summary: 'Erases a dataset or output, or says what that would remove.',
      who: ['device'],
      action: 'dataset:erase',
      body: erasureRequest,
      answer: erasureAnswer,
      handle: ({ body }, { id }, claimed) => erase(context, claimed, body, id),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/members/:member/erase',
      summary: 'Erases what says whose a member’s id was, once their devices have left the keyring.',
      who: ['device'],
      action: 'member:remove',
      answer: memberErasureAnswer,
      handle: async ({ parameters }, { id }, claimed) => ({
        report: await eraseMember(context, claimed, parameters['member'] ?? '', id),
      }),
    }),
  ];
}

function exportRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'GET',
    path: '/v1/export',
    summary:
      'Everything that the organisation has here, or that concerns one member, a JSON object a line; the last one signs the others.',
    who: ['device'],
    action: 'organisation:export',
    handle: async ({ query }, { id }, claimed) => ({
      stream: await exportOrganisation(context, claimed, { device: id, member: query['member'] }),
    }),
  });
}
