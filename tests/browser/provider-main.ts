// An identity provider as a process of its own: oidc-provider over HTTPS, whose people sign in by being asked. The parent says who is there.
import { createServer } from 'node:https';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generateKeyPairSync } from 'node:crypto';
import { systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { ownCertificate } from '@ringfence/client/server-certificate';
// @ts-expect-error -- it brings no types; what is used of it is named below
import Provider from 'oidc-provider';

/** What the parent tells: where the client is, then who sits at the browser. */
export interface ToProvider {
  readonly redirectUri?: string;
  readonly account?: string;
}

interface OidcProvider {
  readonly callback: () => RequestListener;
  readonly Grant: new (of: { accountId: string; clientId: string }) => {
    addOIDCScope(scope: string): void;
    save(): Promise<string>;
  };
  interactionDetails(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<{ params: { client_id: string; acr_values?: string } }>;
  interactionFinished(request: IncomingMessage, response: ServerResponse, result: object): Promise<void>;
}

const [state = ''] = process.argv.slice(2);
const certificate = await ownCertificate({ state, names: ['127.0.0.1'], clock: systemClock, rng: systemRng });
let account = 'nobody';
let provider: OidcProvider | undefined;
const key = Buffer.from(certificate.privateKeyPem.expose());
const server = createServer({ cert: certificate.certificatePem, key }, (request, response) => {
  if (provider === undefined) return void response.writeHead(503).end();
  if (request.url?.startsWith('/interaction/') === true) return void signIn(provider, request, response);
  provider.callback()(request, response);
});

async function signIn(known: OidcProvider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params } = await known.interactionDetails(request, response);
  const grant = new known.Grant({ accountId: account, clientId: params.client_id });
  grant.addOIDCScope('openid');
  const consent = { grantId: await grant.save() };
  const login = { accountId: account, ...(params.acr_values === undefined ? {} : { acr: params.acr_values }) };
  await known.interactionFinished(request, response, { login, consent });
}

function open(issuer: string, redirectUri: string): OidcProvider {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new Provider(issuer, {
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    clients: [
      {
        client_id: 'ringfence',
        client_secret: 'a-secret-of-the-client',
        redirect_uris: [redirectUri],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    acrValues: ['two-factors'],
    cookies: { keys: ['a key for cookies'] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    pkce: { required: () => true },
  }) as OidcProvider;
}

server.listen(0, '127.0.0.1', () => {
  const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.on('message', (told: ToProvider) => {
    if (told.redirectUri !== undefined) provider = open(issuer, told.redirectUri);
    if (told.account !== undefined) ({ account } = told);
    process.send?.({ heard: true });
  });
  process.send?.({ issuer, caFile: certificate.caFile });
});
process.on('disconnect', () => process.exit());
