import { errorAnswer } from '@ringfence/protocol/api';
import { z } from 'zod';
import type { Route } from './route.ts';

/** The OpenAPI 3.1 description of `routes`, in a fixed order. */
export function openApi(routes: readonly Route[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:([a-z]+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Ringfence control plane', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: {
        deviceSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'signature',
          description: 'HTTP Message Signature (RFC 9421) by a device key, see docs/operate/control-plane.md',
        },
        accountSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'signature',
          description: 'The same signature by a key of a service account, see docs/identity.md',
        },
        sessionCookie: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-rf',
          description: 'The token of a browser’s session, see docs/identity.md',
        },
        sessionSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'signature',
          description: 'The same signature by the browser’s key; beside the cookie, never instead of it',
        },
      },
    },
  };
}

function operation(route: Route): Record<string, unknown> {
  const parameters = [...route.path.matchAll(/:([a-z]+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  return {
    summary: route.summary,
    operationId: `${route.method.toLowerCase()}${route.path.replaceAll(/[/:]+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replaceAll('-', '')}`,
    security: securityOf(route),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(route.body) } }),
    responses: {
      200: { description: 'done', content: json(route.answer) },
      default: { description: 'refused', content: json(errorAnswer) },
    },
  };
}

function securityOf(route: Route): Record<string, never[]>[] {
  if (route.action === 'public') return [];
  const device = { deviceSignature: [] };
  const session = { sessionCookie: [], sessionSignature: [] };
  const account = { accountSignature: [] };
  return {
    device: [device],
    session: [session],
    both: [device, session],
    all: [device, session, account],
  }[route.by];
}

function json(schema: z.ZodType): Record<string, unknown> {
  return { 'application/json': { schema: z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) } };
}
