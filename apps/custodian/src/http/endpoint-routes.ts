import {
  endpointRequest,
  endpointsAnswer,
  gatewayCertificateAnswer,
  gatewayCertificateRequest,
  gatewayLeave,
  gatewayLoad,
  gatewayLoadAnswer,
  gatewaysAnswer,
  gatewayView,
  replicaAnswer,
  replicaReport,
  revokedAnswer,
  scaleRequest,
  tokenAnswer,
  tokenRequest,
} from '@ringfence/protocol/payload';
import { z } from 'zod';
import type { CustodianContext } from '../context.ts';
import { removeEndpoint, scaleEndpoint } from '../endpoints/change-endpoint.ts';
import { gatewayView as viewForGateways, listEndpoints } from '../endpoints/endpoint-views.ts';
import { allowGateway, requireGateway } from '../endpoints/gateways.ts';
import { certifyGateway, rotateIssuer } from '../endpoints/issuer.ts';
import { registerEndpoint } from '../endpoints/register-endpoint.ts';
import { takeReplicaReport } from '../endpoints/replica-report.ts';
import { mintToken, revokeToken } from '../endpoints/tokens.ts';
import { memberRoute, type Route } from './route.ts';

const nothing = z.strictObject({});

/** Routes of endpoints: for people, for gateways, and for the agents of replicas. */
export function endpointRoutes(context: CustodianContext): Route[] {
  return [
    ...ownerRoutes(context),
    ...tokenRoutes(context),
    ...gatewayRoutes(context),
    issuerRoute(context),
    replicaRoute(context),
  ];
}

function ownerRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/endpoints',
      summary: 'Makes an endpoint of deposited jobs, or the next revision of the one with this name.',
      who: ['device'],
      action: 'endpoint:create',
      body: endpointRequest,
      answer: endpointsAnswer,
      handle: async ({ body }, { id }, claimed) => {
        await registerEndpoint(context, claimed, { request: body, device: id });
        return listEndpoints(context, claimed);
      },
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/endpoints',
      summary: 'Endpoints with their replicas, gateways and tokens, and the issuer that callers pin.',
      who: ['device'],
      action: 'endpoint:list',
      answer: endpointsAnswer,
      handle: (_, __, claimed) => listEndpoints(context, claimed),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/endpoints/:name/scale',
      summary: 'Fixes the number of replicas, or gives it back to the autoscaler.',
      who: ['device'],
      action: 'endpoint:scale',
      resource: 'name',
      body: scaleRequest,
      answer: endpointsAnswer,
      handle: async ({ body, parameters }, { id }, claimed) => {
        await scaleEndpoint(context, claimed, { name: nameOf(parameters), replicas: body.replicas, device: id });
        return listEndpoints(context, claimed);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/endpoints/:name/remove',
      summary: 'Ends an endpoint for good.',
      who: ['device'],
      action: 'endpoint:remove',
      resource: 'name',
      body: nothing,
      answer: endpointsAnswer,
      handle: async ({ parameters }, { id }, claimed) => {
        await removeEndpoint(context, claimed, { name: nameOf(parameters), device: id });
        return listEndpoints(context, claimed);
      },
    }),
  ];
}

function tokenRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/endpoints/:name/tokens',
      summary: 'Mints a token; its text is shown once.',
      who: ['device'],
      action: 'token:mint',
      resource: 'name',
      body: tokenRequest,
      answer: tokenAnswer,
      handle: ({ body, parameters }, { id }, claimed) =>
        mintToken(context, claimed, { endpoint: nameOf(parameters), request: body, device: id }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/endpoints/:name/tokens/:token/revoke',
      summary: 'Voids a token by its name.',
      who: ['device'],
      action: 'token:revoke',
      resource: 'name',
      body: nothing,
      answer: revokedAnswer,
      handle: async ({ parameters }, { id }, claimed) => {
        const token = parameters['token'] ?? '';
        await revokeToken(context, claimed, { endpoint: nameOf(parameters), token, device: id });
        return {};
      },
    }),
  ];
}

function gatewayRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'POST',
      path: '/v1/gateways',
      summary: 'Lets an agent be a gateway, or no longer.',
      who: ['device'],
      action: 'gateway:allow',
      body: gatewayLeave,
      answer: gatewaysAnswer,
      handle: async ({ body }, { id }, claimed) => ({
        gateways: await allowGateway(context, claimed, { ...body, device: id }),
      }),
    }),
    memberRoute({
      method: 'GET',
      path: '/v1/gateway',
      summary: 'Endpoints as gateways need them, once there is another list than number `after`.',
      who: ['agent'],
      action: 'gateway:serve',
      answer: gatewayView,
      handle: async ({ query }, { id }, claimed) => {
        await requireGateway(context, claimed, id);
        await context.endpoints.watch.changedSince(id, Number(query['after'] ?? -1));
        // Asked again: it may have been taken back while it waited.
        await requireGateway(context, claimed, id);
        return viewForGateways(context, claimed);
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/gateway/load',
      summary: 'What a gateway sees now, and where callers reach it.',
      who: ['agent'],
      action: 'gateway:serve',
      body: gatewayLoad,
      answer: gatewayLoadAnswer,
      handle: async ({ body }, { id }, claimed) => {
        await requireGateway(context, claimed, id);
        context.endpoints.take(id, body);
        return {};
      },
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/gateway/certificate',
      summary: 'Issues a gateway’s certificate for its own key, for a day.',
      who: ['agent'],
      action: 'gateway:serve',
      body: gatewayCertificateRequest,
      answer: gatewayCertificateAnswer,
      handle: ({ body }, { id }, claimed) => certifyGateway(context, claimed, { agent: id, request: body.request }),
    }),
  ];
}

function issuerRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/issuer/rotate',
    summary: 'Makes a new issuer of gateways’ certificates that takes over in a week.',
    who: ['device'],
    action: 'issuer:rotate',
    body: nothing,
    answer: endpointsAnswer,
    handle: async (_, __, claimed) => {
      await rotateIssuer(context, claimed);
      return listEndpoints(context, claimed);
    },
  });
}

function replicaRoute(context: CustodianContext): Route {
  return memberRoute({
    method: 'POST',
    path: '/v1/replicas',
    summary: 'Takes the word of a replica’s agent; answers with the gateways that it lets in.',
    who: ['agent'],
    action: 'replica:report',
    body: replicaReport,
    answer: replicaAnswer,
    handle: ({ body }, { id }, claimed) => takeReplicaReport(context, claimed, body, id),
  });
}

function nameOf(parameters: Readonly<Record<string, string>>): string {
  return parameters['name'] ?? '';
}
