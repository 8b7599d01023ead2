import { join } from 'node:path';

import { DiskRoom } from '@ringfence/base/platform';
import { startAdminServer, type AdminServer } from '@ringfence/client/admin-server';
import { servePayload, type LanAddress, type PayloadListener } from '@ringfence/client/payload-link';
import type { PartyRoute } from '@ringfence/protocol/payload';
import { AccessBook } from './access/access-book.ts';
import { AccessPolicies } from './access/access-policies.ts';
import { tellingStore } from './audit/after-commit.ts';
import { keptLog } from './audit/kept-log.ts';
import { Witness } from './audit/witness.ts';
import { refuseHalfRestored } from './backup/half-restored.ts';
import { claimCodeFile } from './claim/claim-code.ts';
import { OwnerLife } from './claim/owner-life.ts';
import { AgentCertificates } from './certificates/agent-certificates.ts';
import { IdentityPace } from './job-identities/identity-pace.ts';
import { IdentityTokens } from './job-identities/identity-tokens.ts';
import { JobCodes } from './job-identities/job-codes.ts';
import type { CustodianConfig } from './config.ts';
import type { CustodianContext, Owner } from './context.ts';
import { admit } from './http/identify.ts';
import { Endpoints } from './endpoints/endpoints.ts';
import { createPayloadServer } from './http/payload-server.ts';
import { routeTable } from './http/route-table.ts';
import { openKeyVault } from './identity/key-vault.ts';
import { openLinkIdentity } from './identity/link-certificate.ts';
import { passphraseFromFile } from './identity/passphrase-source.ts';
import { OpenCodes } from './join/open-codes.ts';
import { LeaseEnds } from './jobs/attempt-end.ts';
import { closeJob } from './jobs/close-job.ts';
import { EndedUngranted } from './jobs/ended-ungranted.ts';
import { openKeys } from './keys/open-keys.ts';
import { closeProviders, openProviders } from './keys/providers/open-providers.ts';
import { recordEvent } from './ledger/record-event.ts';
import { ControlPlaneLink } from './links/control-plane-link.ts';
import { relayTrust, routeOf } from './links/party-route.ts';
import { readMetrics } from './gauges.ts';
import { CustodianMetrics } from './metrics.ts';
import { openLocks } from './locks/lock-desk.ts';
import { unlessLocked, watchLinks } from './locks/watch-links.ts';
import { Notices } from './notices/notices.ts';
import { readWebhooks } from './notices/webhook-file.ts';
import { LedgerMark } from './privacy-ledger/ledger-mark.ts';
import { ObjectStore } from './objects/object-store.ts';
import { Shredding } from './shredding/shredding.ts';
import { takeSeat, type Seat } from './standby/seat.ts';
import type { StartParts } from './start-parts.ts';
import { openStore, type OpenStore } from './store/open-store.ts';
import { ColumnSeal } from './store/sealed-column.ts';

/** A custodian that serves. */
export interface RunningCustodian {
  readonly ready: Readonly<Record<string, string | boolean | null>>;
  readonly context: CustodianContext;
  close(): Promise<void>;
}

/** This release. */
export const VERSION = '0.1.0';

/** Opens keys, database and object store, then the payload API on its links, then the control link. */
export async function startCustodian(parts: StartParts): Promise<RunningCustodian> {
  const { config, clock, rng, log } = parts;
  refuseHalfRestored(config.state);
  const vault = await openKeyVault({ ...config, passphrase: passphraseFromFile(config.passphraseFile), rng });
  const opened = await openStore({ stateDir: config.state, url: config.databaseUrl, clock, log });
  const { seat, close } = await seatIn(parts, opened, vault.keys.id);
  const metrics = new CustodianMetrics();
  const owner: Owner = { claimed: undefined };
  const lan: { bound: LanAddress | undefined } = { bound: undefined };
  const listener: { current: PayloadListener | undefined } = { current: undefined };
  const context = await contextOf(parts, {
    vault,
    seat,
    owner,
    route: () => routeOf(config, vault.keys.tls.publicKey, lan.bound),
    listener,
  });
  const life = new OwnerLife(context);
  const { server, payload } = await servePayloads(parts, context, life, metrics);
  listener.current = payload;
  if (config.lan !== undefined) lan.bound = await payload.listenLan(config.lan);
  await context.locks.start();
  await life.begin();
  listenAtRelay(config, payload);
  const admin = await adminOf(config, context, metrics);
  return {
    ready: readyLine(context, admin.url),
    context,
    close: async () => {
      await admin.close();
      await closeLinks(context, payload, life);
      server.close();
      await close();
    },
  };
}

function listenAtRelay(config: CustodianConfig, payload: PayloadListener): void {
  const { relay: relayUrl, proxy, reconnectWithin } = config;
  if (relayUrl === undefined) return;
  const options = reconnectWithin === undefined ? {} : { reconnectWithin };
  payload.listenRelay({ relayUrl, proxy, ...relayTrust(config) }, options);
}

/** The payload API and what feeds it with links; it listens nowhere yet. */
async function servePayloads(
  { config, clock, rng, log }: StartParts,
  context: CustodianContext,
  life: OwnerLife,
  metrics: CustodianMetrics,
) {
  const { owner, keys } = context;
  const server = await createPayloadServer({
    routes: routeTable(context, {
      claiming: () => life.claiming,
      onGrant: (result) => metrics.grants.inc({ result }),
    }),
    owner,
    authoriser: context.authoriser,
    access: context.access,
    locks: context.locks,
    certificates: context.certificates,
    clock,
    log,
    onRequest: (route, status, milliseconds) => {
      metrics.requests.observe({ route, status }, milliseconds / 1000);
      life.onAnswered(route, status);
    },
  });
  const identity = await openLinkIdentity(config.state, keys.tls, { clock, rng });
  const payload = servePayload({
    server,
    identity,
    admit: (key) =>
      unlessLocked(
        context,
        key,
        admit(owner.claimed, key, () => context.openCodes.anyOpen(clock.now())),
      ),
    watch: watchLinks(context),
    clock,
    rng,
    log,
  });
  return { server, payload };
}

/** A seat in this database, and what ends both. */
async function seatIn(
  parts: StartParts,
  opened: OpenStore,
  custodian: string,
): Promise<{ seat: Seat; close: () => Promise<void> }> {
  try {
    const seat = await takeSeat(parts, opened.store, custodian);
    const close = async (): Promise<void> => {
      await seat.release();
      await opened.close();
    };
    return { seat, close };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** Gateways' long questions are answered first, or the links would wait for them. */
async function closeLinks(context: CustodianContext, payload: PayloadListener, life: OwnerLife): Promise<void> {
  context.lockNews.close();
  await context.endpoints.stop();
  await payload.close();
  await life.end();
  context.locks.close();
  await closeProviders(context.projectKeys.providers);
}

function adminOf(config: CustodianConfig, context: CustodianContext, metrics: CustodianMetrics): Promise<AdminServer> {
  return startAdminServer({
    ...config.admin,
    notReady: () =>
      context.store.ping().then(
        () => undefined,
        () => 'the database does not answer',
      ),
    metrics: () => readMetrics(metrics, context),
  });
}

function readyLine({ keys, owner, state, route }: CustodianContext, admin: string): RunningCustodian['ready'] {
  return {
    role: 'active',
    custodian: keys.id,
    claimed: owner.claimed !== undefined,
    claim_code_file: claimCodeFile(state),
    lan: route().lan,
    admin,
  };
}

/** What is open before there is a context. */
interface OpenParts {
  readonly vault: Awaited<ReturnType<typeof openKeyVault>>;
  readonly seat: Seat;
  readonly owner: Owner;
  readonly route: () => PartyRoute;
  readonly listener: { readonly current: PayloadListener | undefined };
}

async function contextOf(
  { config, clock, rng, log, fault, onJournalFailed }: StartParts,
  made: OpenParts,
): Promise<CustodianContext> {
  const { vault, seat, owner, route, listener } = made;
  const store = tellingStore(seat.store, (org) => audit.logs.sequencing.wake(org));
  const outer = { caFile: config.caFile, proxy: config.proxy };
  const { state, reconnectWithin } = config;
  const { keys } = vault;
  const endpoints = new Endpoints(clock);
  const columns = new ColumnSeal(keys, rng);
  const shared = { store, keys, clock, rng, log, outer, state, record: recordEvent(clock), fault };
  const others = await openProviders(config.kekProviders, shared);
  const audit = { logs: keptLog({ ...shared, owner }), witness: new Witness(shared) };
  const notices = new Notices({ ...shared, columns, webhooks: readWebhooks(config.webhooks) });
  const known = knownParties(shared);
  const tell = [() => listener.current?.recheck(), () => endpoints.changed()];
  const cutOff = openLocks({ ...shared, ...known, owner, tell, wake: () => link.wake() });
  const shredding = new Shredding({ ...shared, wake: () => link.wake() });
  const link: ControlPlaneLink = new ControlPlaneLink({
    ...shared,
    seat,
    reconnectWithin,
    retention: config.retention,
    onJournalFailed,
    onJobClosed: async ({ body }) => {
      if (owner.claimed === undefined) return;
      await closeJob({ ...shared, notices }, owner.claimed, body.job, body.state);
      shredding.ended(body.job);
      await endpoints.jobChanged(body.job);
    },
    onLogCheckpoint: (body) => audit.witness.take(owner.claimed, body),
    onShredKeys: (body) => shredding.take(body),
  });
  return {
    ...shared,
    version: VERSION,
    keyBytes: vault.bytes,
    sealKind: vault.seal,
    ...openKeys({ ...shared, others, mayWrite: seat.mayWrite, seal: keys.records, earlier: keys.kek }),
    columns,
    privacyMark: new LedgerMark(state),
    notices,
    objects: await ObjectStore.open(join(state, 'objects'), rng, fault, seat.mayWrite),
    disk: new DiskRoom([state, join(state, 'objects')], config.diskReserve),
    ...known,
    ...cutOff,
    authoriser: new AccessPolicies(),
    leaseEnds: new LeaseEnds(clock),
    endedUngranted: new EndedUngranted(),
    ...audit,
    link,
    endpoints,
    shredding,
    route,
    owner,
    openCodes: new OpenCodes(),
    recheckLinks: () => listener.current?.recheck(),
  };
}

/** Who there is, and how they show it. */
function knownParties(shared: ConstructorParameters<typeof AgentCertificates>[0]) {
  return {
    access: new AccessBook(),
    certificates: new AgentCertificates(shared),
    identities: new IdentityTokens(shared.keys),
    identityPace: new IdentityPace(shared.clock),
    jobCodes: new JobCodes(),
  };
}
