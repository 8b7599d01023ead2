import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, newId, silentLog, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { killProcess, startProcess } from '../control-plane-process.fixture.ts';
import { cleanUp, startDatabase, startReplica, temporaryFolder, until } from '../control-plane.fixture.ts';
import { openStore } from '../store/open-store.ts';
import { PlacerTerm } from './placer-term.ts';
import { memberOf, newAgent, offerOf, TestOrganisation } from '../organisation.fixture.ts';

test('two replicas on one database: whichever takes a job, the agent’s own one brings the lease; when the one that places dies, the other goes on', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const keys = temporaryFolder(t);
  // The first to come holds the term.
  const first = await startProcess(t, { state: temporaryFolder(t), keys, databaseUrl });
  const second = await startReplica(t, { databaseUrl, keys });
  const house = new TestOrganisation();
  const { client: atFirst, custodian, agent } = await house.enrol(t, first);
  const atSecond = house.client(t, second);
  const leases = (link: typeof agent): number => link.messages.filter(({ name }) => name === 'lease').length;
  const since = systemClock.monotonic();
  await atSecond.submit(house.submission());
  await until('a lease through the other replica', () => leases(agent) === 1);
  t.diagnostic(`submit at one replica to lease through the other: ${Math.round(systemClock.monotonic() - since)} ms`);
  assert.ok(systemClock.monotonic() - since < 4_000, 'notified, not polled');
  // A second agent hangs on the second replica; jobs come in at the first.
  const other = newAgent();
  await custodian.send(memberOf(other));
  const there = house.dial(t, second, other);
  await there.send(offerOf(other, { isolations: ['microvm'] }));
  await until('its offer', async () => (await atFirst.agents()).length === 2);
  await atFirst.submit(house.submission({ placement: { isolation: 'microvm' } }));
  await until('a lease there', () => leases(there) === 1);
  await killProcess(first);
  const { job } = await atSecond.submit(house.submission({ placement: { isolation: 'microvm' } }));
  await until('the other places', () => leases(there) === 2);
  const view = await atSecond.job(job);
  assert.deepEqual([view.state, view.attempts.length], ['leased', 1]);
});

test('a fork that one replica sees locks the agent on both', async (t) => {
  const { url: databaseUrl } = await startDatabase(t);
  const keys = temporaryFolder(t);
  const [one, two] = [await startReplica(t, { databaseUrl, keys }), await startReplica(t, { databaseUrl, keys })];
  const house = new TestOrganisation();
  const { agent } = await house.enrol(t, one);
  // The same identity with an empty journal.
  const clone = house.dial(t, two, house.agent);
  await until('the clone is locked', () => clone.link.state === 'locked');
  await until('the original is locked', () => agent.link.state === 'locked');
});

test('a term is held by one at a time, rises with each holder, and lets nobody else write', async (t) => {
  const { url } = await startDatabase(t);
  const opened: Awaited<ReturnType<typeof openStore>>[] = [];
  for (const _ of [1, 2]) {
    const stateDir = temporaryFolder(t);
    opened.push(await openStore({ stateDir, url, clock: systemClock, log: silentLog }));
  }
  cleanUp(t, () => Promise.all(opened.map(({ close }) => close())).then(() => undefined));
  const clock = new ManualClock();
  const terms = opened.map(
    ({ store }) => new PlacerTerm({ store, replica: newId('site', systemRng), clock, log: silentLog }),
  );
  const [a = assert.fail(), b = assert.fail()] = terms;
  const [{ store } = assert.fail()] = opened;
  await a.start(() => {});
  await b.start(() => {});
  assert.deepEqual([a.current, b.current], [1, undefined]);
  const org = newId('org', systemRng);
  assert.equal(await store.withOrg(org, (tx) => a.assertHeld(tx)), 1);
  await assert.rejects(
    store.withOrg(org, (tx) => b.assertHeld(tx)),
    { code: 'unavailable' },
  );
  await a.close();
  const c = new PlacerTerm({ store, replica: newId('site', systemRng), clock, log: silentLog });
  clock.advance(1);
  await c.start(() => {});
  assert.equal(c.current, 2);
  await assert.rejects(
    store.withOrg(org, (tx) => a.assertHeld(tx)),
    { code: 'unavailable' },
  );
  await Promise.all([b.close(), c.close()]);
});

test('a holder that is silent is followed after its time, whatever clocks say; one that speaks is not', async (t) => {
  const { url } = await startDatabase(t);
  const { store, close } = await openStore({ stateDir: temporaryFolder(t), url, clock: systemClock, log: silentLog });
  cleanUp(t, close);
  const replica = () => {
    // It speaks when it is told to.
    const clock = Object.assign(new ManualClock(), { after: () => () => {} });
    return { clock, term: new PlacerTerm({ store, replica: newId('site', systemRng), clock, log: silentLog }) };
  };
  const [holder, other] = [replica(), replica()];
  cleanUp(t, () => Promise.all([holder.term.close(), other.term.close()]).then(() => undefined));
  const speak = async ({ term }: typeof holder): Promise<number | undefined> => {
    await term.start(() => {});
    return term.current;
  };
  assert.equal(await speak(holder), 1);
  for (const _ of [1, 2, 3]) {
    assert.equal(await speak(other), undefined);
    other.clock.jump(600_000);
    assert.equal(await speak(other), undefined, 'a clock that is set ahead takes nothing');
    other.clock.advance(4_000);
    assert.equal(await speak(holder), 1);
  }
  // The last word was written ten minutes ahead, and then nothing comes.
  holder.clock.jump(600_000);
  assert.equal(await speak(holder), 1);
  other.clock.jump(-3_600_000);
  assert.equal(await speak(other), undefined);
  other.clock.advance(5_999);
  assert.equal(await speak(other), undefined);
  other.clock.advance(1);
  assert.equal(await speak(other), 2);
  assert.equal(await speak(holder), undefined);
});
