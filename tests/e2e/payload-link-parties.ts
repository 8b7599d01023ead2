import { mkdtempSync, rmSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, systemRng, type Clock, type Log } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import {
  createLinkIdentity,
  expectKeys,
  linkHttpServer,
  payloadAgent,
  peerOf,
  relayAddressOf,
  servePayload,
  type Admission,
  type LinkIdentity,
  type LinkLimits,
  type PayloadAgent,
  type PayloadListener,
  type RelayAccess,
  type RelayRoute,
  type Route,
} from '@ringfence/client/payload-link';
import { TlsKey, type TlsPublicKey } from '@ringfence/crypto/certificate';
import { ownCertificate } from '@ringfence/client/server-certificate';
import { DEFAULT_RELAY_LIMITS, type RelayLimits } from '../../apps/relay/src/limits.ts';
import { startRelayServer } from '../../apps/relay/src/relay-server.ts';

/** Ends what a test opened, newest first. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.reverse()) await step();
  }
}

/** A temporary folder that is gone after the test. */
export function temporaryFolder(cleanup: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'payload-link-'));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The peer of a request as JSON carries it: its certificate in base64. */
export function peerSeen(request: IncomingMessage): unknown {
  const { certificate, ...peer } = peerOf(request);
  return { ...peer, certificate: certificate && Buffer.from(certificate).toString('base64') };
}

/** The certificate that `identity` shows, DER in base64. */
export function certificateOf(identity: LinkIdentity): string {
  return new X509Certificate(identity.tls.certificatePem).raw.toString('base64');
}

export interface TestRelay extends RelayAccess {
  readonly caFile: string;
  readonly pin: string;
  readonly port: number;
  readonly lines: string[];
  close(): Promise<void>;
}

/** A relay in this process, on a real port with a real certificate. */
export async function startRelay(
  cleanup: Cleanup,
  limits: Partial<RelayLimits> = {},
  port = 0,
  names: readonly string[] = ['127.0.0.1', 'localhost'],
): Promise<TestRelay> {
  const state = temporaryFolder(cleanup);
  const [clock, rng] = [systemClock, systemRng];
  const certificate = await ownCertificate({ state, names, clock, rng });
  const lines: string[] = [];
  const server = await startRelayServer({
    host: '127.0.0.1',
    port,
    names,
    certificate,
    limits: { ...DEFAULT_RELAY_LIMITS, ...limits },
    clock,
    rng,
    log: createLog({ role: 'relay', clock, level: 'debug', write: (line) => lines.push(line) }),
  });
  cleanup.add(() => server.close());
  return {
    relayUrl: `https://127.0.0.1:${server.port}`,
    caFile: certificate.caFile ?? '',
    pin: certificate.caFingerprint ?? '',
    port: server.port,
    lines,
    close: () => server.close(),
  };
}

/** A fresh identity. */
export function newIdentity(): Promise<LinkIdentity> {
  return createLinkIdentity({ key: TlsKey.generate(systemRng), clock: systemClock, rng: systemRng });
}

export interface Party {
  readonly identity: LinkIdentity;
  readonly listener: PayloadListener;
  readonly lines: string[];
}

/** A party that admits `members` and serves `handler`. */
export async function startParty(
  cleanup: Cleanup,
  options: {
    members: readonly TlsPublicKey[];
    handler: RequestListener;
    identity?: LinkIdentity;
    admit?: (key: TlsPublicKey) => Admission;
    limits?: Partial<LinkLimits>;
    http?: Parameters<typeof linkHttpServer>[1];
    clock?: Clock;
  },
): Promise<Party> {
  const identity = options.identity ?? (await newIdentity());
  const lines: string[] = [];
  const listener = servePayload({
    server: linkHttpServer(options.handler, options.http),
    identity,
    admit: options.admit ?? ((key) => admitMembers(options.members, key)),
    clock: options.clock ?? systemClock,
    rng: systemRng,
    log: logTo(lines),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  cleanup.add(() => listener.close(0));
  return { identity, listener, lines };
}

function admitMembers(members: readonly TlsPublicKey[], key: TlsPublicKey): Admission {
  return members.includes(key)
    ? { allow: true, peer: { kind: 'known', id: 'member' } }
    : { allow: false, reasons: ['not-in-keyring'] };
}

export function logTo(lines: string[]): Log {
  return createLog({ role: 'agent', clock: systemClock, level: 'debug', write: (line) => lines.push(line) });
}

/** Listens at the relay; resolved once callers can reach it. */
export async function listenAt(party: Party, access: RelayAccess): Promise<void> {
  await new Promise<void>((resolve) => {
    party.listener.listenRelay(access, {
      reconnectWithin: 500,
      onState: (state) => {
        if (state.phase === 'listening') resolve();
      },
    });
  });
}

/** The way to a party through a relay. */
export function relayRoute(access: RelayAccess, to: LinkIdentity): RelayRoute {
  return {
    kind: 'relay',
    relayUrl: access.relayUrl,
    caFile: access.caFile,
    proxy: access.proxy,
    address: relayAddressOf(to.key.publicKey),
  };
}

/** An agent of `from` towards `to` by `route`. */
export function agentTo(cleanup: Cleanup, from: LinkIdentity, to: LinkIdentity, ...routes: Route[]): PayloadAgent {
  const agent = payloadAgent({
    routes,
    identity: from,
    expect: expectKeys(to.key.publicKey),
    clock: systemClock,
  });
  cleanup.add(() => agent.destroy());
  return agent;
}
