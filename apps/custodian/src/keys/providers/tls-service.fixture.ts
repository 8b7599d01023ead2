import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { jsonOf, systemRng as rng } from '@ringfence/base';
import { systemClock as clock } from '@ringfence/base/platform';
import { createCertificateAuthority, issueServerCertificate } from '@ringfence/crypto/certificate';

/** A request of a key service, read whole. */
export interface ServiceRequest {
  readonly method: string;
  /** Path with query, as it was sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON; an empty object when it is none. */
  readonly json: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly peer: PeerCertificate;
}

/** What it answers. */
export interface ServiceAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What goes wrong with every request while it is set: no answer, a cut connection, or an answer that says it is busy. */
export type ServiceFault = 'silent' | 'cut' | 'busy';

/** A key service on the loopback interface. */
export interface TlsService {
  readonly url: string;
  readonly port: number;
  /** For files of the test; removed with the service. */
  readonly folder: string;
  readonly caFile: string;
  readonly caPem: string;
  /** How many requests arrived. */
  readonly requests: () => number;
  fault: ServiceFault | undefined;
  /** Faults end by themselves after so many requests. */
  faultsLeft: number;
  /** Writes a file that only its owner may read and returns its path. */
  secretFile(name: string, text: string): string;
  stop(): Promise<void>;
}

/** Serves `answer` over TLS 1.3 under an authority of its own; with `clientCa` only to those that show a certificate of it. */
export async function startTlsService(
  t: TestContext,
  answer: Answer,
  options: { readonly clientCa?: string } = {},
): Promise<TlsService> {
  const authority = await createCertificateAuthority({ clock, rng });
  const leaf = await issueServerCertificate(authority, { hosts: ['127.0.0.1', 'localhost'], clock, rng });
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-keys-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificatePem);
  const server: Server = createServer({
    cert: leaf.certificatePem,
    key: Buffer.from(leaf.privateKeyPem.expose()),
    minVersion: 'TLSv1.3',
    ...(options.clientCa === undefined ? {} : { ca: options.clientCa, requestCert: true, rejectUnauthorized: true }),
  });
  const state = { requests: 0 };
  server.on('request', (incoming, outgoing) => {
    state.requests += 1;
    const { fault } = service;
    if (fault !== undefined && (service.faultsLeft -= 1) <= 0) service.fault = undefined;
    if (fault === 'silent') return;
    if (fault === 'cut') return void incoming.socket.destroy();
    void answered(incoming, fault === 'busy' ? () => ({ status: 503, json: {} }) : answer).then((sent) => {
      outgoing.writeHead(sent.status, { 'content-type': 'application/json', ...sent.headers });
      outgoing.end(sent.json === undefined ? '' : JSON.stringify(sent.json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const service: TlsService = {
    url: `https://127.0.0.1:${port}`,
    port,
    folder,
    caFile,
    caPem: authority.certificatePem,
    requests: () => state.requests,
    fault: undefined,
    faultsLeft: Infinity,
    secretFile(name, text) {
      writeFileSync(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    },
    stop,
  };
  t.after(async () => {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return service;
}

type Answer = (request: ServiceRequest) => ServiceAnswer | Promise<ServiceAnswer>;

/** What `answer` makes of a request; a mistake of the server itself is an answer too. */
async function answered(incoming: IncomingMessage, answer: Answer): Promise<ServiceAnswer> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  const parsed = jsonOf(body);
  const { method = '', url: target = '', headers, socket } = incoming;
  try {
    return await answer({
      method,
      target,
      headers,
      body,
      json: typeof parsed === 'object' && parsed !== null ? (parsed as ServiceRequest['json']) : {},
      peer: (socket as TLSSocket).getPeerCertificate(),
    });
  } catch (error) {
    return { status: 500, json: { error: String(error) } };
  }
}
