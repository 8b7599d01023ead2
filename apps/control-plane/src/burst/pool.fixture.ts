import type { TestContext } from 'node:test';
import { newId, systemRng, type OfferId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { ControlPlaneClient } from '@ringfence/client/api';
import { signStatement } from '@ringfence/keyring';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import type { PlacementPart, PoolStatement } from '@ringfence/protocol/statements';
import { openTestStore, startDatabase, startReplica, until, type ShiftedClock } from '../control-plane.fixture.ts';
import { noFault, type Fault } from '../fault-points.ts';
import {
  memberOf,
  newAgent,
  offerOf,
  TestOrganisation,
  type Submission,
  type TestAgent,
  type TestLink,
} from '../organisation.fixture.ts';
import type { ControlPlaneStore } from '../store/open-store.ts';

/** An hour of a machine away from home: one unit of the currency. */
export const HOUR_PRICE = { microUnits: 1_000_000, currency: 'EUR' };

/** Terms that one look turns; the budget pays for ten hours. */
export const TERMS: PoolStatement['terms'] = {
  highWaitMs: 60_000,
  highLooks: 1,
  lowWaitMs: 30_000,
  lowLooks: 1,
  cooldownMs: 0,
  minLifetimeMs: 0,
  mostAtOnce: 100,
  overheadMs: 0,
  budget: { microUnits: 10_000_000, currency: 'EUR', periodMs: 31 * 24 * 3_600_000 },
};

/** An order of one CPU that may leave home, for an hour. */
export function leaving(org: TestOrganisation, change: Partial<PlacementPart> = {}): Submission {
  const mayLeave = { tiers: ['private', 'secure-cloud'], burst: 'allowed', retryOn: ['interruption'] } as const;
  const placement = { ...mayLeave, tiers: [...mayLeave.tiers], retryOn: [...mayLeave.retryOn], ...change };
  return org.submission({ sensitivity: 'public', placement });
}

/** A signed pool statement of the organisation's device. */
export function poolOf(org: TestOrganisation, seq: number, terms: Partial<PoolStatement['terms']> = {}) {
  const common = { v: 1, org: org.org, device: org.device.id, seq, at: org.clock.now() } as const;
  return signStatement('pool', { ...common, terms: { ...TERMS, ...terms }, homeHour: 400_000 }, [org.device.sign]);
}

/** An organisation with a machine of four CPUs at home and one of so many away from home, its rows within reach. */
export interface PoolHouse {
  readonly org: TestOrganisation;
  readonly client: ControlPlaneClient;
  readonly custodian: TestLink;
  readonly home: TestLink;
  readonly away: TestLink & { readonly agent: TestAgent };
  readonly store: ControlPlaneStore;
  readonly databaseUrl: string;
  /** Fills the machine at home, so that whoever comes next waits there for an hour. */
  fillHome(): Promise<void>;
  /** Ends what fills it. */
  freeHome(): Promise<void>;
}

/** Starts one. */
export async function startPoolHouse(
  t: TestContext,
  { clock, fault = noFault }: { readonly clock?: ShiftedClock; readonly fault?: Fault } = {},
): Promise<PoolHouse> {
  const { url: databaseUrl } = await startDatabase(t);
  const controlPlane = await startReplica(t, { databaseUrl, fault, ...(clock === undefined ? {} : { clock }) });
  const org = new TestOrganisation(clock ?? systemClock);
  const { client, custodian, agent: home } = await org.enrol(t, controlPlane);
  const agent = newAgent();
  await custodian.send(memberOf(agent));
  const link = org.dial(t, controlPlane, agent);
  await link.send(
    offerOf(agent, {
      tier: 'secure-cloud',
      isolations: ['microvm', 'gvisor'],
      price: HOUR_PRICE,
      cpuMilli: 100_000,
      memoryBytes: 400e9,
    }),
  );
  await until('both offers are there', async () => (await client.agents()).length === 2);
  const store = await openTestStore(t, databaseUrl);
  return { org, client, custodian, home, away: Object.assign(link, { agent }), store, databaseUrl, ...filler() };

  function filler(): Pick<PoolHouse, 'fillHome' | 'freeHome'> {
    const job = newId('job', systemRng);
    return {
      fillHome: async () => {
        const resources = { ...SAMPLE_PLACEMENT.resources, cpuMilli: 4_000 };
        await client.submit(org.submission({ job, placement: { resources, retryOn: ['interruption'] } }));
        await until('home is full', async () => (await client.job(job)).state === 'leased');
      },
      freeHome: async () => {
        await home.send({ name: 'attempt-status', body: { job, attempt: 1, state: 'stopped', outcome: 'failed' } });
        await until('it is over', async () => (await client.job(job)).state === 'failed');
      },
    };
  }
}

/** What of an organisation's budget is spent and reserved, summed up over the rows. */
export async function moneyOf({
  store,
  org,
}: Pick<PoolHouse, 'store' | 'org'>): Promise<{ spent: number; reserved: number }> {
  return store.withOrg(org.org, async (tx) => {
    const rows = await tx.selectFrom('pool_attempt').selectAll().where('away', '=', true).execute();
    const { spent } = await tx.selectFrom('pool').select('spent').executeTakeFirstOrThrow();
    const settled = rows.reduce((sum, { cost }) => sum + (cost ?? 0), 0);
    if (settled !== spent) throw new RangeError('the pool has spent what its attempts cost');
    return { spent, reserved: rows.reduce((sum, row) => sum + (row.ended_at === null ? (row.reserved ?? 0) : 0), 0) };
  });
}

/** Which offers jobs were leased at. */
export async function offersOf({ store, org }: Pick<PoolHouse, 'store' | 'org'>): Promise<OfferId[]> {
  const rows = await store.withOrg(org.org, (tx) => tx.selectFrom('attempt').select('offer').execute());
  return rows.map(({ offer }) => offer);
}
