import { secretRequest, secretsAnswer, variableName } from '@ringfence/protocol/payload';
import type { CustodianContext } from '../context.ts';
import { CustodianError } from '../custodian-error.ts';
import { listSecrets, removeSecret, setSecret } from '../secrets/secret-rows.ts';
import { memberRoute, type Route } from './route.ts';

/** Routes of secrets: values go in and leave only in grants. */
export function secretRoutes(context: CustodianContext): Route[] {
  return [
    memberRoute({
      method: 'GET',
      path: '/v1/secrets',
      summary: 'Names of secrets, never a value.',
      who: ['device'],
      action: 'secret:list',
      answer: secretsAnswer,
      handle: async (_, __, claimed) => ({
        secrets: await context.store.withOrg(claimed.org, (tx) => listSecrets(context, tx)),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/secrets/:name',
      summary: 'Sets a secret, or replaces its value.',
      who: ['device'],
      action: 'secret:set',
      resource: 'name',
      body: secretRequest,
      answer: secretsAnswer,
      handle: async ({ parameters, body }, { id }, claimed) => ({
        secrets: await setSecret(context, claimed, { name: nameOf(parameters), value: body.value, device: id }),
      }),
    }),
    memberRoute({
      method: 'POST',
      path: '/v1/secrets/:name/remove',
      summary: 'Removes a secret: grants that name it are refused.',
      who: ['device'],
      action: 'secret:remove',
      resource: 'name',
      answer: secretsAnswer,
      handle: async ({ parameters }, { id }, claimed) => ({
        secrets: await removeSecret(context, claimed, nameOf(parameters), id),
      }),
    }),
  ];
}

function nameOf(parameters: Readonly<Record<string, string>>): string {
  const parsed = variableName.safeParse(parameters['name']);
  if (parsed.success) return parsed.data;
  throw new CustodianError('bad-request', 'a secret is named like a variable', {
    next: 'use letters, digits and _, no digit first',
  });
}
