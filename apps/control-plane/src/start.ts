import type { AddressInfo } from 'node:net';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Log, Rng } from '@ringfence/base';
import { writeFileAtomic } from '@ringfence/base/platform';
import { startAdminServer } from '@ringfence/client/admin-server';
import { givenCertificate, ownCertificate, type OwnCertificate } from '@ringfence/client/server-certificate';
import { createAuthoriser, OWNER_POLICY } from '@ringfence/policy/authorise';
import type { ControlPlaneRoute } from '@ringfence/protocol/payload';
import { parseDigest } from '@ringfence/crypto/sign';
import type { ControlPlaneConfig } from './config.ts';
import type { Fault } from './fault-points.ts';
import { createApiServer } from './http/api-server.ts';
import { routeTable } from './http/route-table.ts';
import { openKeyFolder } from './identity/key-folder.ts';
import type { ControlPlaneContext } from './jobs/control-plane-context.ts';
import { recordEvent } from './ledger/record-event.ts';
import { LinkServer } from './links/link-server.ts';
import { ControlPlaneMetrics } from './metrics.ts';
import { Placer } from './placement/placer.ts';
import { PlacerTerm } from './placement/placer-term.ts';
import { addRegistrationCode } from './registration/registration-codes.ts';
import { openStore } from './store/open-store.ts';

/** What main hands in. */
export interface StartParts {
  readonly config: ControlPlaneConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly replica: string;
  readonly fault: Fault;
}

/** A control plane that serves. */
export interface RunningControlPlane {
  readonly ready: Readonly<Record<string, string | null>> & { readonly url: string };
  readonly context: ControlPlaneContext;
  close(): Promise<void>;
}

/** This release. */
export const VERSION = '0.1.0';

/** Opens the database, the API with the control links, and the admin listener; closes what it opened when a step fails. */
export async function startControlPlane(parts: StartParts): Promise<RunningControlPlane> {
  const { config, clock, rng, log } = parts;
  const opened = await openStore({ stateDir: config.state, url: config.databaseUrl, clock, log });
  const term = new PlacerTerm({ store: opened.store, replica: parts.replica, clock, log });
  const identity = openKeyFolder(config.keys, { clock, rng });
  const record = recordEvent(clock);
  const context: ControlPlaneContext = {
    store: opened.store,
    identity,
    replica: parts.replica,
    clock,
    rng,
    log,
    term,
    record,
    fault: parts.fault,
  };
  const certificate = await certificateOf(parts);
  const metrics = new ControlPlaneMetrics();
  const server = createApiServer({
    routes: routeTable(context, VERSION),
    tls: { cert: certificate.certificatePem, key: Buffer.from(certificate.privateKeyPem.expose()).toString() },
    store: opened.store,
    authoriser: createAuthoriser(OWNER_POLICY),
    clock,
    log,
    version: VERSION,
    onRequest: (route, status, milliseconds) => metrics.requests.observe({ route, status }, milliseconds / 1000),
  });
  await server.listen({ host: config.host, port: config.port });
  const links = new LinkServer(context, server.server as never);
  const placer = new Placer(context);
  await placer.start();
  const url = config.url ?? `https://${config.names[0]}:${(server.server.address() as AddressInfo).port}`;
  const route: ControlPlaneRoute = {
    id: identity.id,
    url,
    root: identity.root.publicKey,
    caPin: certificate.caFingerprint === null ? null : (parseDigest(certificate.caFingerprint) ?? null),
  };
  const codeFile = await firstRegistrationCode(context, config, route);
  const admin = await startAdminServer({
    ...config.admin,
    notReady: () =>
      opened.store.ping().then(
        () => undefined,
        () => 'the database does not answer',
      ),
    metrics: () => gauge(metrics, context, links),
  });
  return {
    ready: {
      url,
      ca_file: certificate.caFile,
      ca_fingerprint: certificate.caFingerprint,
      id: identity.id,
      root: identity.root.publicKey,
      admin: admin.url,
      registration_code_file: codeFile,
    },
    context,
    close: async () => {
      await admin.close();
      links.close();
      await placer.close();
      server.server.closeIdleConnections();
      await server.close();
      await opened.close();
    },
  };
}

function certificateOf({ config, clock, rng }: StartParts): Promise<OwnCertificate> {
  const given = config.certificate;
  if (given !== undefined) return Promise.resolve(givenCertificate(given.certificateFile, given.keyFile));
  return ownCertificate({ state: config.state, names: config.names, clock, rng });
}

/** While no organisation is registered, a code for the first one lies in the state folder. */
async function firstRegistrationCode(
  context: ControlPlaneContext,
  config: ControlPlaneConfig,
  route: ControlPlaneRoute,
): Promise<string> {
  const file = join(config.state, 'registration-code');
  const { count } = await context.store.withSystem('gauges', (tx) =>
    tx
      .selectFrom('organisation')
      .select((build) => build.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow(),
  );
  if (count > 0) rmSync(file, { force: true });
  else if (!existsSync(file)) writeFileAtomic(file, (await addRegistrationCode(context, route)).text().expose());
  return file;
}

async function gauge(
  metrics: ControlPlaneMetrics,
  context: ControlPlaneContext,
  links: LinkServer,
): Promise<{ contentType: string; body: string }> {
  metrics.links.set(links.count);
  metrics.term.set(context.term.current ?? 0);
  const states = await context.store.withSystem('gauges', (tx) =>
    tx
      .selectFrom('job')
      .select((build) => ['state', build.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute(),
  );
  metrics.jobs.reset();
  for (const { state, count } of states) metrics.jobs.set({ state }, count);
  return { contentType: metrics.registry.contentType, body: await metrics.registry.metrics() };
}
