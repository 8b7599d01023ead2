import type { AddressInfo } from 'node:net';
import { rmSync } from 'node:fs';
import type { Clock, Log, Rng } from '@ringfence/base';
import { startAdminServer } from '@ringfence/client/admin-server';
import { createAuthoriser, type Authoriser } from '@ringfence/policy/authorise';
import { BUILT_IN_POLICIES } from '@ringfence/policy/roles';
import type { ControlPlaneRoute } from '@ringfence/protocol/payload';
import { parseDigest } from '@ringfence/crypto/sign';
import { keptLog } from './audit/kept-log.ts';
import { BeginRate } from './ceremonies/begin-rate.ts';
import { BurstLooks } from './burst/burst-looks.ts';
import type { ControlPlaneConfig } from './config.ts';
import type { Fault } from './fault-points.ts';
import { createApiServer } from './http/api-server.ts';
import { routeTable } from './http/route-table.ts';
import { keepCertificate, type KeptCertificate } from './http/kept-certificate.ts';
import { OwnUrl } from './http/own-url.ts';
import { openKeyFolder } from './identity/key-folder.ts';
import type { ControlPlaneContext } from './jobs/control-plane-context.ts';
import { recordEvent } from './ledger/record-event.ts';
import { openLocks } from './locks/lock-desk.ts';
import { LinkServer } from './links/link-server.ts';
import { AddressTries } from './members/address-tries.ts';
import { PasswordHasher } from './members/password-hasher.ts';
import { KnownSessions } from './sessions/known-sessions.ts';
import { ControlPlaneMetrics, metricsText } from './metrics.ts';
import { KeptInventories } from './placement/kept-inventories.ts';
import { ASKING, PLACING } from './placement/kept-inventory.ts';
import { Placer } from './placement/placer.ts';
import { PlacerTerm } from './placement/placer-term.ts';
import { WaitingQuota } from './queue/waiting-quota.ts';
import { firstCodeFile, keepFirstCode } from './registration/first-code.ts';
import { keepRoute } from './registration/registration-route.ts';
import { allowedFetch } from './sign-on/allowed-fetch.ts';
import { openStore, type ControlPlaneStore } from './store/open-store.ts';
import { OrgChanges } from './store/org-changes.ts';
import { VERSION } from './version.ts';

/** What main hands in. */
export interface StartParts {
  readonly config: ControlPlaneConfig;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly replica: string;
  readonly fault: Fault;
  /** Decides instead of the built-in roles: a test drops that check to see that the database alone keeps organisations apart. */
  readonly authoriser?: Authoriser;
}

/** A control plane that serves. */
export interface RunningControlPlane {
  readonly ready: Readonly<Record<string, string | null>> & { readonly url: string };
  close(): Promise<void>;
}

type Closers = (() => Promise<void> | void)[];

/** Opens the database, the API with the control links, and the admin listener; closes what it opened when a step fails. */
export async function startControlPlane(parts: StartParts): Promise<RunningControlPlane> {
  const closers: Closers = [];
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).toReversed()) await step();
  };
  try {
    return { ready: await open(parts, closers), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(parts: StartParts, closers: Closers): Promise<RunningControlPlane['ready']> {
  const { config, clock, log } = parts;
  const opened = await openStore({ stateDir: config.state, url: config.databaseUrl, clock, log });
  closers.push(opened.close);
  const context = contextOf(parts, opened.store);
  const lockWakes = context.changes.listen('lock', () => void context.locks.look());
  closers.push(() => {
    lockWakes.close();
    context.locks.close();
  });
  await context.locks.start();
  const certificate = await keepCertificate(parts);
  closers.push(() => certificate.stop());
  const metrics = new ControlPlaneMetrics();
  const { url, links } = await serve(parts, context, { certificate, metrics, closers });
  const route = routeOf(context, url, certificate);
  keepRoute(config.state, route);
  const codeFile = await keepFirstCode(context, config.state, route);
  const placer = new Placer(context);
  context.changes.onRecorded((org) => context.logs.sequencing.wake(org));
  closers.push(() => context.logs.sequencing.close());
  await placer.start();
  closers.push(() => placer.close());
  context.logs.sequencing.start();
  const looks = new BurstLooks(context);
  looks.start();
  closers.push(() => looks.close());
  const admin = await startAdminServer({
    ...config.admin,
    notReady: () =>
      opened.store.ping().then(
        () => undefined,
        () => 'the database does not answer',
      ),
    metrics: () => metricsText(metrics, context, links.count),
  });
  closers.push(() => admin.close());
  return {
    url,
    ca_file: certificate.current.caFile,
    ca_fingerprint: certificate.current.caFingerprint,
    id: context.identity.id,
    root: context.identity.root.publicKey,
    admin: admin.url,
    registration_code_file: codeFile,
  };
}

function contextOf({ config, ...parts }: StartParts, store: ControlPlaneStore): ControlPlaneContext {
  const { clock, rng, replica } = parts;
  const identity = openKeyFolder(config.keys, { clock, rng });
  const term = new PlacerTerm({ ...parts, store });
  const changes = new OrgChanges(store, replica);
  const record = recordEvent(clock, store);
  return {
    ...parts,
    store,
    changes,
    identity,
    term,
    logs: keptLog({ ...parts, store, identity, term }),
    inventories: new KeptInventories(PLACING),
    asked: new KeptInventories(ASKING),
    waitingQuota: new WaitingQuota(clock, config.mostWaiting),
    sessions: new KnownSessions(store, clock),
    passwords: new PasswordHasher(clock, rng),
    addressTries: new AddressTries(clock),
    beginRate: new BeginRate(clock),
    ...openLocks({ ...parts, store, changes, record }),
    record,
    ownUrl: new OwnUrl(),
    fetch: allowedFetch(config.fetch),
    onRegistered: () => rmSync(firstCodeFile(config.state), { force: true }),
  };
}

async function serve(
  { config, clock, log, authoriser }: StartParts,
  context: ControlPlaneContext,
  { certificate, metrics, closers }: { certificate: KeptCertificate; metrics: ControlPlaneMetrics; closers: Closers },
): Promise<{ url: string; links: LinkServer }> {
  const server = createApiServer({
    routes: routeTable(context, VERSION),
    certificate: certificate.current,
    store: context.store,
    sessions: context.sessions,
    authoriser: authoriser ?? createAuthoriser(...BUILT_IN_POLICIES),
    locks: context.locks,
    clock,
    log,
    version: VERSION,
    onAnswer: (answer) => metrics.answered(answer),
  });
  certificate.use((options) => server.server.setSecureContext(options));
  const links = new LinkServer(context, server.server);
  closers.push(async () => {
    const closed = server.close();
    await links.close();
    await closed;
  });
  await server.listen({ host: config.host, port: config.port });
  const { port } = server.server.address() as AddressInfo;
  const url = config.url ?? `https://${config.names[0]}:${port}`;
  context.ownUrl.set(url);
  return { url, links };
}

function routeOf({ identity }: ControlPlaneContext, url: string, { current }: KeptCertificate): ControlPlaneRoute {
  const pin = current.caFingerprint;
  const caPin = pin === null ? null : (parseDigest(pin) ?? null);
  return { id: identity.id, url, root: identity.root.publicKey, caPin };
}
