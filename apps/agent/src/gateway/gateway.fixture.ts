import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLog, durationMs, newId, systemRng as rng, toBase64Url, utf8, type AgentId } from '@ringfence/base';
import { makeFolder, systemClock as clock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { createLinkIdentity, linkHttpServer, servePayload } from '@ringfence/client/payload-link';
import {
  checkCertificateRequest,
  createCertificateAuthority,
  issueForRequest,
  type CertificateAuthority,
} from '@ringfence/crypto/certificate';
import { RecordKey } from '@ringfence/crypto/record';
import { sha256Hex } from '@ringfence/crypto/sign';
import { foldKeyring, signHead } from '@ringfence/keyring';
import {
  endpointHost,
  gatewayLoad,
  type GatewayEndpoint,
  type GatewayLoad,
  type GatewayView,
} from '@ringfence/protocol/payload';
import { keyringStatements } from '../attempt/keyring-statements.fixture.ts';
import { IDS, KEYS } from '../attempt/members.fixture.ts';
import { makeIdentity, type AgentIdentity } from '../identity/agent-identity.ts';
import { dialCustodian, type JoinedLink } from '../link/joined-link.ts';
import { KeyringCopy } from '../link/keyring-copy.ts';
import { replicaApi } from '../serving/replica-api.ts';
import { Replicas } from '../serving/replicas.ts';
import { standIn, type StandIn } from '../serving/replica-stand-in.fixture.ts';
import { Gateway } from './gateway.ts';

const DAY = durationMs(86_400_000);

/** A gateway with a custodian's double that lists what it is told to, and stand-ins for replicas. */
export interface TestGateway {
  readonly gateway: Gateway;
  readonly custodian: CustodianAtGateway;
  readonly token: string;
  readonly tokenEntry: GatewayEndpoint['tokens'][number];
  /** A replica, ready and listed when it resolves. */
  readonly replica: (handler: RequestListener, at?: 'here' | 'elsewhere') => Promise<StandIn & { end: () => void }>;
  /** Changes the one endpoint that is listed. */
  readonly list: (change: Partial<GatewayEndpoint>) => void;
  readonly call: (path: string, options?: CallOptions) => Promise<IncomingMessage>;
  readonly log: readonly string[];
}

/** What a call is made of. */
export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Null: no token. */
  readonly token?: string | null;
  readonly servername?: string;
}

/** A custodian as gateways know it. */
class CustodianAtGateway {
  readonly loads: GatewayLoad[] = [];
  readonly #authority: CertificateAuthority;
  readonly #waiting = new Set<() => void>();
  certificates = 0;
  /** The newest list that the gateway has. */
  taken = 0;
  away = false;
  /** This agent is a gateway still. */
  allowed = true;
  view: GatewayView = { seq: 1, at: clock.now(), endpoints: [] };

  constructor(authority: CertificateAuthority) {
    this.#authority = authority;
  }

  get authorityPem(): string {
    return this.#authority.certificatePem;
  }

  show(endpoints: GatewayView['endpoints'], at = clock.now()): void {
    this.view = { seq: this.view.seq + 1, at, endpoints };
    for (const wake of this.#waiting) wake();
  }

  /** Takes its leave back. */
  forbid(): void {
    this.allowed = false;
    for (const wake of this.#waiting) wake();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.away) return void response.destroy();
    const url = new URL(request.url ?? '/', 'https://custodian');
    let text = '';
    for await (const part of request) text += String(part);
    const send = (value: object): void =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    if (url.pathname === '/v1/gateway') {
      const after = Number(url.searchParams.get('after'));
      this.taken = after;
      if (this.view.seq === after)
        await new Promise<void>((resolve) => {
          this.#waiting.add(resolve);
          response.once('close', resolve);
        });
      if (!this.allowed) {
        const error = { code: 'not-authorised', message: 'nobody has allowed this agent to be a gateway' };
        return void response.writeHead(403, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
      }
      return send(this.view);
    }
    if (url.pathname === '/v1/gateway/load') {
      this.loads.push(gatewayLoad.parse(JSON.parse(text)));
      return send({});
    }
    if (url.pathname !== '/v1/gateway/certificate') return void response.writeHead(404).end();
    this.certificates += 1;
    const checked = await checkCertificateRequest((JSON.parse(text) as { request: string }).request, 16);
    const hosts = [...checked.hosts, ...this.view.endpoints.map(({ endpoint }) => endpointHost(endpoint))];
    const issued = await issueForRequest(this.#authority, { request: checked, hosts, clock, rng, lifetime: DAY });
    send({ chain: issued.chainPem, notAfter: issued.notAfter });
  }
}

/** Opens all of it until the test ends. */
export async function openGateway(t: TestContext, options: { api?: 'http' | 'openai' } = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'rf-gateway-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const key = RecordKey.generate(rng);
  makeFolder(join(folder, 'link'));
  const identity = await makeIdentity(join(folder, 'link'), key, { clock, rng });
  const custodian = new CustodianAtGateway(await createCertificateAuthority({ clock, rng }));
  const link = await serveDouble(t, custodian);
  const keyring = keyringOf(identity, join(folder, 'link'));
  const lines: string[] = [];
  const log = createLog({ role: 'agent', clock, level: 'debug', write: (line) => void lines.push(line) });
  const tell = async () => ({ gateways: [IDS.agent] });
  const elsewhere = new Replicas({ folder: join(folder, 'elsewhere'), tell, clock, log });
  const here = new Replicas({ folder: join(folder, 'here'), tell, clock, log });
  const lan = await serveReplicas(t, { identity, keyring, replicas: elsewhere });
  const gateway = new Gateway({
    folder: join(folder, 'gateway'),
    link,
    identity: identity.link,
    custodian: dialCustodian({ route: link.route, outer: {}, identity: identity.link, clock }),
    keyring,
    replicas: here,
    listen: { host: '127.0.0.1', port: 0 },
    key,
    clock,
    rng,
    log,
  });
  t.after(async () => {
    await gateway.close(0);
    elsewhere.close();
    here.close();
  });
  const listing = new Listing(custodian, options.api ?? 'http');
  await until(() => gateway.bound !== undefined);
  const replica: TestGateway['replica'] = async (handler, at = 'here') => {
    const stand = await standIn(t, handler);
    const id = { job: newId('job', rng), attempt: 1 };
    const replicas = at === 'here' ? here : elsewhere;
    const { service, sensitivity } = listing.listed;
    const begun = replicas.begin({ id, service, sensitivity, connect: stand.open });
    await until(() => begun.takes && replicas.gatewaysOf(begun) !== undefined);
    const agent: AgentId = at === 'here' ? link.agent : IDS.agent;
    const routes = [{ tls: identity.link.key.publicKey, relay: null, lan }];
    listing.list({ replicas: [...listing.listed.replicas, { ...id, agent, routes, state: 'ready' }] });
    const end = (): void => {
      stand.die();
      replicas.end(begun);
    };
    return { ...stand, end };
  };
  const { token, tokenEntry } = listing;
  const call: TestGateway['call'] = (path, of = {}) => callGateway({ gateway, custodian, token }, path, of);
  return { gateway, custodian, token, tokenEntry, replica, list: (change) => listing.list(change), call, log: lines };
}

/** The one endpoint that the double lists. */
class Listing {
  readonly token = `rfe_${toBase64Url(rng.bytes(32))}`;
  readonly tokenEntry = {
    digest: sha256Hex(utf8(this.token)),
    expires: (clock.now() + DAY) as GatewayView['at'],
    limits: {},
  };
  readonly #custodian: CustodianAtGateway;
  listed: GatewayEndpoint;

  constructor(custodian: CustodianAtGateway, api: 'http' | 'openai') {
    this.#custodian = custodian;
    this.listed = endpointOf(api, this.tokenEntry);
    this.list({});
  }

  list(change: Partial<GatewayEndpoint>): void {
    this.listed = { ...this.listed, ...change };
    this.#custodian.show([this.listed]);
  }
}

async function callGateway(
  { gateway, custodian, token }: { gateway: Gateway; custodian: CustodianAtGateway; token: string },
  path: string,
  of: CallOptions,
): Promise<IncomingMessage> {
  const sent = of.token === undefined ? token : of.token;
  const outgoing = httpsRequest({
    host: '127.0.0.1',
    port: gateway.bound?.port,
    ca: custodian.authorityPem,
    servername: of.servername ?? '',
    path,
    method: of.method ?? 'GET',
    headers: { ...(sent === null ? {} : { authorization: `Bearer ${sent}` }), ...of.headers },
    agent: false,
  });
  outgoing.end(of.body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  return answer;
}

function endpointOf(api: 'http' | 'openai', token: GatewayEndpoint['tokens'][number]): GatewayEndpoint {
  return {
    endpoint: newId('endpoint', rng),
    name: 'model',
    service: { port: 8_000, api, replicas: { min: 0, max: 2 }, scaling: { metric: 'concurrency', target: 4 } },
    sensitivity: 'internal',
    replicas: [],
    tokens: [token],
  };
}

async function serveDouble(t: TestContext, custodian: CustodianAtGateway): Promise<JoinedLink> {
  const identity = await createLinkIdentity({ key: KEYS.custodianTls, clock, rng });
  const server = linkHttpServer(
    (request, response) => void custodian.answer(request, response).catch(() => response.destroy()),
  );
  const admit = () => ({ allow: true, peer: { kind: 'known', id: 'agent' } }) as const;
  const listener = servePayload({ server, identity, admit, clock, rng });
  t.after(() => listener.close(0));
  const { port } = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  return {
    v: 1,
    agent: newId('agent', rng),
    org: IDS.org,
    orgRoot: KEYS.root.publicKey,
    custodian: IDS.custodian,
    route: { tls: KEYS.custodianTls.publicKey, relay: null, lan: `127.0.0.1:${port}` },
    controlPlane: { id: IDS.controlPlane, url: 'https://127.0.0.1:1', root: KEYS.controlRoot.publicKey, caPin: null },
    offer: IDS.offer,
    allowProcess: true,
    lan: null,
    outer: {},
  };
}

/** The agent of replicas elsewhere; it has the one identity that the keyring knows, as the gateway has. */
async function serveReplicas(
  t: TestContext,
  { identity, keyring, replicas }: { identity: AgentIdentity; keyring: KeyringCopy; replicas: Replicas },
): Promise<string> {
  const server = linkHttpServer(replicaApi({ replicas, keyring, clock }));
  const admit: Parameters<typeof servePayload>[0]['admit'] = (peer) => {
    const owner = keyring.keyring.byTlsKey(peer);
    return owner === undefined ? { allow: false, reasons: [] } : { allow: true, peer: { kind: 'known', id: owner.id } };
  };
  const limits = { linksPerPeer: 128, linksPerAddress: 512 };
  const listener = servePayload({ server, identity: identity.link, admit, clock, rng, limits });
  t.after(() => listener.close(0));
  const { port } = await listener.listenLan({ host: '127.0.0.1', port: 0 });
  return `127.0.0.1:${port}`;
}

function keyringOf({ sign, link, seal }: AgentIdentity, folder: string): KeyringCopy {
  const keys = { sign: sign.publicKey, tls: link.key.publicKey, seal: seal.publicKey, allowProcess: true };
  const statements = keyringStatements(keys);
  const at = clock.now();
  const head = signHead(foldKeyring(statements), { custodian: IDS.custodian, epoch: 1, at }, KEYS.enrolment);
  return KeyringCopy.create(folder, { statements, head, root: KEYS.root.publicKey, clock });
}
