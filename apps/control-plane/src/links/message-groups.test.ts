import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ManualClock, newId, silentLog, systemRng, type AgentId, type OrgId } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import type { DurablePartyMessage } from '@ringfence/client/control-link';
import { SigningKey } from '@ringfence/crypto/sign';
import { sampleOffer } from '@ringfence/protocol/samples';
import { StoreError } from '@ringfence/store';
import { sql } from 'kysely';
import { startDatabase, until } from '../control-plane.fixture.ts';
import { noFault } from '../fault-points.ts';
import type { ControlPlaneContext } from '../jobs/control-plane-context.ts';
import { LeaseRenewals } from '../jobs/lease-renewals.ts';
import { recordEvent } from '../ledger/record-event.ts';
import { openStore, type ControlPlaneStore } from '../store/open-store.ts';
import { OrgChanges } from '../store/org-changes.ts';
import { MessageGroups } from './message-groups.ts';
import type { Connected } from './party-link.ts';
import { takeMessages } from './party-message.ts';

const REPLICA = 'here';

/** An organisation with agents that are connected here, without processes of their own. */
class Rows {
  readonly org: OrgId = newId('org', systemRng);
  readonly store: ControlPlaneStore;

  constructor(store: ControlPlaneStore) {
    this.store = store;
  }

  async agents(count: number): Promise<Connected[]> {
    const sign = SigningKey.generate(systemRng).publicKey;
    const custodian = newId('custodian', systemRng);
    const ids = Array.from({ length: count }, () => newId('agent', systemRng));
    await this.store.withSystem('register-organisation', async (tx) => {
      const row = { org: this.org, custodian, enrolment_key: sign, registered_at: 1 };
      await tx.insertInto('organisation').values(row).execute();
      for (const id of ids)
        await sql`
          insert into party (id, org, role, sign_key, keyring_seq, connection, replica)
          values (${id}, ${this.org}, 'agent', ${sign}, 1, 1, ${REPLICA})`.execute(tx);
    });
    return ids.map((id) => ({
      party: { id, org: this.org, role: 'agent', sign, last: null, locked: false },
      connection: 1,
    }));
  }

  async received(of: Connected): Promise<number | undefined> {
    const [row] = await this.store.queryOrg(this.org, (db) =>
      db.selectFrom('party').select('received_mid').where('id', '=', of.party.id).compile(),
    );
    return row?.received_mid;
  }
}

const offer = (cpuMilli: number, epoch = 1): DurablePartyMessage => ({
  name: 'offer',
  body: sampleOffer({ epoch, cpuMilli }),
});

async function opened(t: TestContext) {
  const { url, stateDir } = await startDatabase(t);
  const { store } = await openStore({ stateDir, url, clock: systemClock, log: silentLog });
  let changed = 0;
  const counting: ControlPlaneStore = new Proxy(store, {
    get: (target, name) => {
      if (name === 'withOrg') changed += 1;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const context = {
    store,
    changes: new OrgChanges(counting, REPLICA),
    clock: systemClock,
    log: silentLog,
    replica: REPLICA,
    record: recordEvent(systemClock, store),
    fault: noFault,
  } as unknown as ControlPlaneContext;
  return { store, context, changes: () => changed };
}

test('messages and heartbeats that come together', async (t) => {
  const { store, context, changes } = await opened(t);
  await t.test('messages that waited for a turn are one transaction, and a bad one harms no other', async () => {
    const rows = new Rows(store);
    const [a, b, c, old] = await rows.agents(4);
    assert.ok(a && b && c && old);
    const groups = new MessageGroups(context);
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const before = changes();
    const busy = context.changes.run(rows.org, () => held);
    const together = [groups.take(a, offer(1_000), 1), groups.take(b, offer(2_000), 1)];
    letGo();
    await Promise.all([busy, ...together]);
    assert.equal(changes() - before, 2, 'what ran, and the two together');
    const second = Promise.withResolvers<void>();
    const again = context.changes.run(rows.org, () => second.promise);
    const mixed = Promise.allSettled([
      groups.take(c, offer(1_000, 1.5), 1),
      groups.take(a, offer(3_000), 1),
      groups.take({ ...old, connection: 0 }, offer(4_000), 1),
      groups.take(b, offer(5_000), 2),
    ]);
    second.resolve();
    await again;
    const outcomes = (await mixed).map((one) => (one.status === 'rejected' ? one.reason.code : 'taken'));
    assert.deepEqual(outcomes, ['query-failed', 'taken', 'conflict', 'taken']);
    assert.deepEqual(await Promise.all([a, b, c, old].map((of) => rows.received(of))), [1, 2, 0, 0]);
  });
  await t.test('what came over an old connection and again over the new one is taken once', async () => {
    const rows = new Rows(store);
    const [a] = await rows.agents(1);
    assert.ok(a);
    const renewed = { ...a, connection: 2 };
    const applied: number[] = [];
    const counted = (cpuMilli: number): DurablePartyMessage =>
      new Proxy(offer(cpuMilli), {
        get: (target, name) => {
          if (name === 'body') applied.push(cpuMilli);
          return Reflect.get(target, name) as unknown;
        },
      });
    const arrived = [
      { from: a, message: counted(1_000), mid: 1 },
      { from: renewed, message: counted(2_000), mid: 1 },
      { from: renewed, message: counted(3_000), mid: 2 },
      { from: renewed, message: counted(4_000), mid: 2 },
    ];
    const refused = await context.changes.run(rows.org, async (tx) => {
      await tx.updateTable('party').set({ connection: 2 }).where('id', '=', a.party.id).execute();
      return takeMessages(context, tx, rows.org, arrived);
    });
    assert.deepEqual(
      [...refused.keys()].map((one) => arrived.indexOf(one)),
      [0],
    );
    assert.deepEqual(applied, [2_000, 3_000]);
    assert.equal(await rows.received(a), 2);
  });
  await t.test('a database that is away refuses all at once, and tries none alone', async () => {
    const rows = new Rows(store);
    const [a, b] = await rows.agents(2);
    assert.ok(a && b);
    for (const code of ['unavailable', 'timeout'] as const) {
      const groups = new MessageGroups({
        ...context,
        fault: () => {
          throw new StoreError(code, 'as if');
        },
      });
      const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
      const busy = context.changes.run(rows.org, () => held);
      const before = changes();
      const both: Promise<void>[] = [groups.take(a, offer(1_000), 1), groups.take(b, offer(2_000), 1)];
      const together: Promise<PromiseSettledResult<void>[]> = Promise.allSettled(both);
      letGo();
      await busy;
      const outcomes = (await together).map((one) => (one.status === 'rejected' ? one.reason.code : 'taken'));
      assert.deepEqual(outcomes, [code, code]);
      assert.equal(changes() - before, 2, 'what ran, and the two together');
    }
    assert.deepEqual([await rows.received(a), await rows.received(b)], [0, 0]);
  });
  await t.test('a renewal waits for nobody’s rows, and is made when they are free', async () => {
    const rows = new Rows(store);
    const [free, held] = await rows.agents(2);
    assert.ok(free && held);
    const renewals = new LeaseRenewals(context);
    const beat = ({ party, connection }: Connected) =>
      renewals.renew({ org: party.org, agent: party.id as AgentId, connection });
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: locked, resolve: onLocked } = Promise.withResolvers<void>();
    const change = store.withOrg(rows.org, async (tx) => {
      await tx.updateTable('party').set({ draining: true }).where('id', '=', held.party.id).execute();
      onLocked();
      await released;
    });
    await locked;
    let late: unknown = 'waits';
    const waiting = beat(held).then((leases) => (late = leases));
    assert.deepEqual(await beat(free), []);
    assert.equal(late, 'waits');
    release();
    await Promise.all([change, waiting]);
    assert.deepEqual(late, []);
    assert.deepEqual(await beat({ ...free, connection: 0 }), undefined, 'an older connection renews nothing');
    await until('seen', async () => {
      const seen = await store.queryOrg(rows.org, (db) => db.selectFrom('party').select('seen_at').compile());
      return seen.every(({ seen_at }) => seen_at !== null);
    });
  });
  await t.test('who closes renewals leaves no timer and keeps nobody waiting', async () => {
    const clock = new ManualClock();
    const renewals = new LeaseRenewals({ ...context, clock });
    const beat = { org: newId('org', systemRng), agent: newId('agent', systemRng), connection: 1 };
    const waiting = renewals.renew(beat);
    assert.equal(clock.waiting, 1);
    renewals.close();
    assert.equal(clock.waiting, 0);
    assert.deepEqual([await waiting, await renewals.renew(beat)], [undefined, undefined]);
  });
  await store.close();
});
