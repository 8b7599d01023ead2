import { isId, type EpochMs, type OrgId } from '@ringfence/base';
import {
  accountSignOnBegin,
  accountSignOnEnd,
  doneAnswer,
  emptyBody,
  signedIn,
  signOnBegin,
  signOnBegun,
  signOnEnd,
  ssoProviderAdd,
  ssoProviderList,
  TOKEN_ALGORITHMS,
  type SsoProviderList,
} from '@ringfence/protocol/api';
import { z } from 'zod';
import { publicRoute, sessionRoute, sharedRoute, type Route, type SessionCaller } from '../http/route.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { countedTry } from '../members/counted-try.ts';
import { browserKey } from '../members/sign-in.ts';
import { handOver } from '../sessions/hand-over.ts';
import { rotateToken } from '../sessions/rotate-token.ts';
import { ProviderClients } from './provider-client.ts';
import {
  addProvider,
  findProvider,
  listProviders,
  noSuchProvider,
  removeProvider,
  type StoredProvider,
} from './provider-rows.ts';
import { linkProvider, signInByProvider, stepUpByProvider } from './sign-in-by-provider.ts';
import { beginSignOn, SIGNED_ON_PATH, type SignOnParts } from './sign-on.ts';

const DONE = { done: true } as const;

/** Identity providers that officers set, and what browsers do there. */
export function signOnRoutes(context: ControlPlaneContext): Route[] {
  const clients = new ProviderClients(context.fetch, context.clock);
  const parts = (): SignOnParts => ({ context, clients, origin: new URL(context.ownUrl.url).origin });
  return [...providerRoutes(context, parts), ...browserRoutes(context, parts)];
}

function providerRoutes(context: ControlPlaneContext, parts: () => SignOnParts): Route[] {
  return [
    sharedRoute({
      method: 'GET',
      path: '/v1/sso/providers',
      summary: 'The identity providers by which members sign in.',
      action: 'sso:list',
      answer: ssoProviderList,
      handle: (_, { org }) => viewProviders(context, parts().origin, org),
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/sso/providers',
      summary: 'Adds an identity provider, which is asked at once whether it is one.',
      action: 'sso:set',
      body: ssoProviderAdd,
      answer: ssoProviderList,
      handle: async ({ body }, asker) => {
        await parts().clients.assertProvider(body);
        await addProvider(context, asker, body);
        return viewProviders(context, parts().origin, asker.org);
      },
    }),
    sharedRoute({
      method: 'POST',
      path: '/v1/sso/providers/:provider/remove',
      summary: 'Takes an identity provider away, with what it was linked to.',
      action: 'sso:set',
      body: emptyBody,
      answer: doneAnswer,
      handle: async ({ parameters }, asker) => {
        const provider = parameters['provider'] ?? '';
        if (!isId('ssoProvider', provider) || !(await removeProvider(context, asker, provider))) throw noSuchProvider();
        return DONE;
      },
    }),
  ];
}

function browserRoutes(context: ControlPlaneContext, parts: () => SignOnParts): Route[] {
  return [
    publicRoute({
      method: 'POST',
      path: '/v1/sign-in/provider/begin',
      asks: 'elsewhere',
      summary: 'Where a browser signs in at an identity provider.',
      action: 'public',
      body: signOnBegin,
      answer: signOnBegun,
      handle: async ({ body: { provider, publicKey }, address }) => {
        context.addressTries.assertMayTry(address);
        context.beginRate.take(address);
        const url = await beginSignOn(parts(), { provider, purpose: 'sign-in', browser: browserKey(publicKey) });
        return { url, assures: (await findProvider(context, provider)).assures };
      },
    }),
    publicRoute({
      method: 'POST',
      path: '/v1/sign-in/provider',
      asks: 'elsewhere',
      summary: 'Begins a session for whom the identity provider sent back.',
      action: 'public',
      body: signOnEnd,
      answer: signedIn,
      handle: async (call) => {
        const { publicKey, ...back } = call.body;
        const begun = await countedTry(context.addressTries, call.address, () =>
          signInByProvider(parts(), { ...back, publicKey: browserKey(publicKey) }),
        );
        return handOver(context, call, begun);
      },
    }),
    ...accountSignOnRoutes(context, parts),
  ];
}

function accountSignOnRoutes(context: ControlPlaneContext, parts: () => SignOnParts): Route[] {
  const begin = async ({ provider, purpose }: z.output<typeof accountSignOnBegin>, caller: SessionCaller) => {
    const { org, member, session } = caller;
    const url = await beginSignOn(parts(), {
      provider,
      purpose,
      browser: session,
      of: { org, member, holder: session },
    });
    return { url, assures: (await findProvider(context, provider)).assures };
  };
  return [
    sessionRoute({
      method: 'POST',
      path: '/v1/account/provider/begin',
      summary: 'Where the member who asks steps up at an identity provider.',
      body: accountSignOnBegin,
      answer: signOnBegun,
      handle: ({ body }, caller) => begin(body, caller),
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/provider',
      summary: 'Gives what the identity provider said to the session that asks.',
      body: accountSignOnEnd,
      answer: doneAnswer,
      handle: async (call, caller) => {
        const { search } = call.body;
        await rotateToken(context, caller, call, (token) => stepUpByProvider(parts(), { search, caller, token }));
        return DONE;
      },
    }),
    sessionRoute({
      method: 'POST',
      path: '/v1/account/provider/link',
      summary: 'Links what the identity provider said to the member who asks.',
      ceremony: 'factor:add',
      body: accountSignOnEnd,
      answer: doneAnswer,
      handle: async ({ body: { search } }, caller) => {
        await linkProvider(parts(), { search, caller });
        return DONE;
      },
    }),
  ];
}

async function viewProviders(context: ControlPlaneContext, origin: string, org: OrgId): Promise<SsoProviderList> {
  const rows = await listProviders(context, org);
  return { providers: rows.map(viewOf), redirectUri: `${origin}${SIGNED_ON_PATH}` };
}

const algorithms = z.array(z.enum(TOKEN_ALGORITHMS));

function viewOf({ provider, issuer, client_id: clientId, assures, acr, made_at, ...row }: StoredProvider) {
  const since = made_at as EpochMs;
  return { provider, issuer, clientId, algorithms: algorithms.parse(row.algorithms), assures, acr, since };
}
