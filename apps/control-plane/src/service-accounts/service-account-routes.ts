import { isId } from '@ringfence/base';
import {
  doneAnswer,
  emptyBody,
  serviceAccountAdd,
  serviceAccountAdded,
  serviceAccountList,
  tokenExchange,
  tokenExchanged,
} from '@ringfence/protocol/api';
import { ControlPlaneError } from '../control-plane-error.ts';
import { publicRoute, sharedRoute, type Route } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { countedTry } from '../members/counted-try.ts';
import { assertMayGive } from '../members/may-give.ts';
import { browserKey } from '../members/sign-in.ts';
import { exchangeToken } from './exchange-token.ts';
import { FederatedIssuers } from './federated-token.ts';
import { addAccount, listAccounts, removeAccount } from './service-account-rows.ts';

/** Workloads that ask without a person. */
export function serviceAccountRoutes(context: ControlPlaneContext): Route[] {
  const issuers = new FederatedIssuers(context.fetch, context.clock);
  return [
    sharedRoute({
      method: 'GET',
      path: '/v1/service-accounts',
      summary: 'The organisation’s service accounts, and what each may show.',
      action: 'service-account:list',
      answer: serviceAccountList,
      handle: async (_, { org }) => ({ accounts: await listAccounts(context, org) }),
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/service-accounts',
      summary: 'Adds a service account: by tokens of a federated issuer, or by a key of at most 90 days.',
      action: 'service-account:set',
      body: serviceAccountAdd,
      answer: serviceAccountAdded,
      handle: async ({ body }, asker) => {
        assertMayGive(asker, body.roles);
        if ('federation' in body) return addAccount(context, asker, body);
        const { publicKey, days } = body.key;
        return addAccount(context, asker, { roles: body.roles, key: { publicKey: browserKey(publicKey), days } });
      },
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/service-accounts/:account/remove',
      summary: 'Takes a service account away, with its keys.',
      action: 'service-account:set',
      body: emptyBody,
      answer: doneAnswer,
      handle: async ({ parameters }, asker) => {
        const account = parameters['account'] ?? '';
        if (isId('serviceAccount', account) && (await removeAccount(context, asker, account)))
          return { done: true } as const;
        throw new ControlPlaneError('not-found', 'there is no such service account', {
          next: 'see `ringfence service-account ls`',
        });
      },
    }),
    publicRoute({
      method: 'POST',
      path: '/v1/service-accounts/token',
      asks: 'elsewhere',
      summary: 'Takes a token of a federated issuer, once, for a key that signs requests from then on.',
      action: 'public',
      body: tokenExchange,
      answer: tokenExchanged,
      handle: ({ body: { token, publicKey }, address }) =>
        countedTry(context.addressTries, address, () =>
          exchangeToken(context, issuers, { token, publicKey: browserKey(publicKey) }),
        ),
    }),
  ];
}
