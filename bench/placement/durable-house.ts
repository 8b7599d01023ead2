// Waiting jobs and offers as rows of a PostgreSQL of their own, and the control plane's own code that places them.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { newId, silentLog, systemRng, type Clock, type JobId, type OrgId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '@ringfence/base/until';
import { signEnvelope, SigningKey, type Envelope } from '@ringfence/crypto/sign';
import type { PlacementOffer, PlacementRequest } from '@ringfence/policy/placement';
import type { MessageBody } from '@ringfence/protocol/messages';
import { removeEmbedded, startEmbedded } from '@ringfence/store';
import { sql } from 'kysely';
import pg from 'pg';
import { keptLog } from '../../apps/control-plane/src/audit/kept-log.ts';
import { noFault } from '../../apps/control-plane/src/fault-points.ts';
import { openKeyFolder } from '../../apps/control-plane/src/identity/key-folder.ts';
import type { ControlPlaneContext } from '../../apps/control-plane/src/jobs/control-plane-context.ts';
import { recordEvent } from '../../apps/control-plane/src/ledger/record-event.ts';
import { KeptInventories } from '../../apps/control-plane/src/placement/kept-inventories.ts';
import { ASKING, PLACING } from '../../apps/control-plane/src/placement/kept-inventory.ts';
import { placeJobs } from '../../apps/control-plane/src/placement/place-jobs.ts';
import { PlacerTerm } from '../../apps/control-plane/src/placement/placer-term.ts';
import { MOST_WAITING_JOBS, WaitingQuota } from '../../apps/control-plane/src/queue/waiting-quota.ts';
import { openStore, type ControlPlaneStore, type Tx } from '../../apps/control-plane/src/store/open-store.ts';
import { OrgChanges } from '../../apps/control-plane/src/store/org-changes.ts';
import { OwnUrl } from '../../apps/control-plane/src/http/own-url.ts';
import { openLocks } from '../../apps/control-plane/src/locks/lock-desk.ts';
import { BeginRate } from '../../apps/control-plane/src/ceremonies/begin-rate.ts';
import { AddressTries } from '../../apps/control-plane/src/members/address-tries.ts';
import { PasswordHasher } from '../../apps/control-plane/src/members/password-hasher.ts';
import { KnownSessions } from '../../apps/control-plane/src/sessions/known-sessions.ts';
import { allowedFetch } from '../../apps/control-plane/src/sign-on/allowed-fetch.ts';

const ROWS_AT_ONCE = 2_000;
const START = systemClock.now();
/** No heartbeat comes from these agents: for them it stays the moment at which they were heard. */
const CLOCK: Clock = {
  now: () => START,
  monotonic: () => systemClock.monotonic(),
  after: (delay, run) => systemClock.after(delay, run),
};

/** An organisation whose jobs wait, and the code that places them. */
export type DurableHouse = {
  /** Process of the PostgreSQL server. */
  readonly databasePid: number;
  /** Ends all attempts: everything is free again. */
  release(): Promise<void>;
  /** Makes such jobs wait. */
  submit(shapes: readonly PlacementRequest[]): Promise<JobId[]>;
  /** Places jobs in one transaction. */
  place(jobs: readonly JobId[]): Promise<void>;
  /** How many attempts there are: each with its receipt, its lease, and a message for its agent. */
  leased(): Promise<number>;
  stop(): Promise<void>;
};

/** Starts PostgreSQL below `root` with one organisation that has `offers`. */
export async function startDurableHouse(root: string, offers: readonly PlacementOffer[]): Promise<DurableHouse> {
  const stateDir = join(root, 'database');
  mkdirSync(stateDir, { mode: 0o700, recursive: true });
  const database = await startEmbedded({ stateDir, log: silentLog, clock: systemClock });
  const url = Buffer.from(database.connectionString().expose()).toString();
  const opened = await openStore({ stateDir: root, url, clock: systemClock, log: silentLog });
  const context = contextOf(root, opened.store);
  const stop = async (): Promise<void> => {
    await context.term.close();
    await opened.close();
    await database.stop();
    await removeEmbedded({ stateDir, clock: systemClock });
  };
  const org = newId('org', systemRng);
  const device = newId('device', systemRng);
  await context.term.start(() => {});
  await opened.store.withSystem('register-organisation', (tx) => insertOrganisation(tx, org));
  await opened.store.withOrg(org, async (tx) => {
    await insertParties(tx, org, [{ id: device, role: 'device' }]);
    for (let at = 0; at < offers.length; at += ROWS_AT_ONCE)
      await insertOffers(tx, org, offers.slice(at, at + ROWS_AT_ONCE));
  });
  await analyze(url);
  return {
    databasePid: database.pid,
    release: () => opened.store.withOrg(org, endAll),
    submit: (shapes) => opened.store.withOrg(org, (tx) => insertJobs(tx, { org, device }, shapes)),
    place: async (jobs) => {
      // Reading all of 100,000 offers may take longer than the renewal of the term waits for.
      await until(() => context.term.current !== undefined, 'the term is held', 60_000);
      await placeJobs(context, org, { ids: jobs });
    },
    leased: async () => {
      const [row] = await opened.store.queryOrg(org, (db) =>
        db
          .selectFrom('attempt')
          .select((build) => build.fn.countAll<string>().as('count'))
          .compile(),
      );
      return Number(row?.count ?? 0);
    },
    stop,
  };
}

async function endAll(tx: Tx): Promise<void> {
  await sql`
    update offer set row_version = row_version + 1, free_gpus = body -> 'gpus', free_cpu_milli = (body ->> 'cpuMilli')::bigint,
      free_memory_bytes = (body ->> 'memoryBytes')::bigint, free_disk_bytes = (body ->> 'diskBytes')::bigint
    where offer in (select offer from attempt where live)`.execute(tx);
  await tx.updateTable('attempt').set({ live: false }).where('live', '=', true).execute();
}

/** As a server does by itself within a minute. */
async function analyze(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('analyze');
  await client.end();
}

function contextOf(root: string, store: ControlPlaneStore): ControlPlaneContext {
  const parts = { clock: CLOCK, rng: systemRng, log: silentLog, replica: newId('site', systemRng) };
  const identity = openKeyFolder(join(root, 'keys'), parts);
  const term = new PlacerTerm({ ...parts, store });
  const changes = new OrgChanges(store, parts.replica);
  const record = recordEvent(CLOCK, store);
  return {
    ...parts,
    store,
    changes,
    identity,
    term,
    logs: keptLog({ ...parts, store, identity, term, fault: noFault }),
    inventories: new KeptInventories(PLACING),
    asked: new KeptInventories(ASKING),
    waitingQuota: new WaitingQuota(CLOCK, MOST_WAITING_JOBS),
    record,
    fault: noFault,
    onRegistered: () => {},
    sessions: new KnownSessions(store, CLOCK),
    passwords: new PasswordHasher(CLOCK, systemRng),
    addressTries: new AddressTries(CLOCK),
    beginRate: new BeginRate(CLOCK),
    ...openLocks({ ...parts, store, changes, record }),
    ownUrl: new OwnUrl(),
    fetch: allowedFetch({ hosts: [] }),
  };
}

async function insertOrganisation(tx: Tx, org: OrgId): Promise<void> {
  const enrolment_key = SigningKey.generate(systemRng).publicKey;
  const custodian = newId('custodian', systemRng);
  await tx
    .insertInto('organisation')
    .values({ org, custodian, enrolment_key, registered_at: systemClock.now() })
    .execute();
}

type NewParty = { readonly id: ReturnType<typeof newId<'device' | 'agent'>>; readonly role: 'device' | 'agent' };

async function insertParties(tx: Tx, org: OrgId, parties: readonly NewParty[]): Promise<void> {
  // Nobody signs as them.
  const sign_key = SigningKey.generate(systemRng).publicKey;
  const seen_at = CLOCK.now();
  await tx
    .insertInto('party')
    .values(
      parties.map(({ id, role }) => ({
        id,
        role,
        org,
        sign_key,
        keyring_seq: 1,
        locked: null,
        journal_seq: null,
        journal_hash: null,
        replica: null,
        seen_at,
      })),
    )
    .execute();
}

async function insertOffers(tx: Tx, org: OrgId, offers: readonly PlacementOffer[]): Promise<void> {
  await insertParties(
    tx,
    org,
    offers.map(({ agent }) => ({ id: agent, role: 'agent' })),
  );
  const rows = offers.map((offer) => ({
    offer: offer.offer,
    org,
    agent: offer.agent,
    epoch: 1,
    body: JSON.stringify(messageOf(offer)),
    free_cpu_milli: offer.free.cpuMilli,
    free_memory_bytes: offer.free.memoryBytes,
    free_disk_bytes: offer.free.diskBytes,
    free_gpus: JSON.stringify(messageOf(offer).gpus),
  }));
  await tx.insertInto('offer').values(rows).execute();
}

/** What the agent of such an offer would say. */
function messageOf(offer: PlacementOffer): MessageBody<'offer'> {
  const { free, price } = offer;
  return {
    offer: offer.offer,
    site: offer.site,
    epoch: 1,
    tier: offer.tier,
    jurisdictions: [...offer.jurisdictions],
    isolations: [...offer.isolations],
    tees: [...offer.tees],
    hardLimits: offer.hardLimits,
    cpuMilli: free.cpuMilli,
    memoryBytes: free.memoryBytes,
    diskBytes: free.diskBytes,
    gpus: free.gpus.map(({ model, memoryBytes, cards }) => ({ model, memoryBytes, count: cards.length })),
    evidence: [],
    region: offer.region,
    ...(price === undefined ? {} : { price }),
    ...(offer.spot ? { spot: true } : {}),
    speedMilli: Math.round(offer.speed * 1_000),
    networkMbit: offer.networkMbit,
  };
}

async function insertJobs(
  tx: Tx,
  { org, device }: { readonly org: OrgId; readonly device: ReturnType<typeof newId<'device'>> },
  shapes: readonly PlacementRequest[],
): Promise<JobId[]> {
  const key = SigningKey.generate(systemRng);
  const now = CLOCK.now();
  const rows = shapes.map(({ placement, label }) => {
    const job = newId('job', systemRng);
    return {
      job,
      org,
      device,
      type: placement.type,
      state: 'submitted' as const,
      sensitivity: label.sensitivity,
      job_digest: 'ab'.repeat(32) as never,
      job_envelope: JSON.stringify(labelOf(org, job, { label, key })),
      label_envelope: JSON.stringify(labelOf(org, job, { label, key })),
      placement: JSON.stringify(placement),
      priority: placement.priority,
      max_attempts: 1,
      waiting_for: '[]',
      submitted_at: now,
      changed_at: now,
      expires_at: now + 86_400_000,
      wanted: false,
      not_before: null,
      retry_reason: null,
      inventory_seen: null,
    };
  });
  await tx.insertInto('job').values(rows).execute();
  await sql`update job set state = 'queued' where state = 'submitted'`.execute(tx);
  return rows.map(({ job }) => job);
}

function labelOf(
  org: OrgId,
  job: JobId,
  { label, key }: { readonly label: PlacementRequest['label']; readonly key: SigningKey },
): Envelope {
  const { sensitivity, residency } = label;
  const at = systemClock.now();
  const body = {
    v: 1,
    org,
    job,
    custodian: newId('custodian', systemRng),
    sensitivity,
    residency: [...residency],
    at,
    notAfter: at + 86_400_000,
  };
  return signEnvelope('application/vnd.ringfence.label.v1+json', body, [key]);
}
