import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ManualClock, seededRng, silentLog } from '@ringfence/base';
import { ORG_A, startTestServer, until, type Tables, type TestServer } from './database.fixture.ts';
import { Listener, channelName, type Wake } from './listener.ts';
import type { Store } from './store.ts';

describe('notifications', () => {
  let server: TestServer;
  let store: Store<Tables, 'count-notes'>;
  before(async () => {
    server = await startTestServer();
    store = await server.open('rf_n');
  });
  after(async () => {
    await store.close();
    await server.remove();
  });

  const describeWake = (wake: Wake): string => (wake.reason === 'notify' ? `notify ${wake.payload}` : wake.reason);
  const collect = (channel: string, tickMs = 3_600_000): { wakes: string[]; close: () => void } => {
    const wakes: string[] = [];
    const subscription = store.listen(channel, (wake) => wakes.push(describeWake(wake)), { tickMs });
    return { wakes, close: () => subscription.close() };
  };
  const notify = (channel: string, payload?: string): Promise<void> =>
    store.withOrg(ORG_A, (tx) => store.notify(tx, channel, payload));

  test('a committed notification wakes its channel, a rolled back one nobody', async () => {
    const [jobs, offers] = [collect('job'), collect('offer')];
    await until('both listen', () => jobs.wakes.length === 1 && offers.wakes.length === 1);
    const rolledBack = store.withOrg(ORG_A, async (tx) => {
      await store.notify(tx, 'job', 'never');
      throw new RangeError('on purpose');
    });
    await assert.rejects(rolledBack, RangeError);
    await notify('job', 'a');
    await notify('job');
    await until('two notifications', () => jobs.wakes.length === 3);
    assert.deepEqual(jobs.wakes, ['connected', 'notify a', 'notify ']);
    assert.deepEqual(offers.wakes, ['connected']);
    jobs.close();
    offers.close();
    await notify('job', 'b');
    const later = collect('job');
    await until('a later one listens', () => later.wakes.includes('connected'));
    assert.equal(jobs.wakes.length, 3);
    later.close();
  });

  test('a subscriber that throws harms no other', async () => {
    const broken = store.listen('job', () => {
      throw new RangeError('on purpose');
    });
    const jobs = collect('job');
    await until('it listens', () => jobs.wakes.includes('connected'));
    await notify('job', 'c');
    await until('the notification', () => jobs.wakes.includes('notify c'));
    broken.close();
    jobs.close();
  });

  test('a cut connection is made anew and subscribers are told to look', async () => {
    const jobs = collect('job');
    await until('it listens', () => jobs.wakes.length === 1);
    await server.asSuperuser(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%'`);
    await until('it listens again', () => jobs.wakes.length === 2);
    await notify('job', 'd');
    await until('the notification', () => jobs.wakes.length === 3);
    assert.deepEqual(jobs.wakes, ['connected', 'connected', 'notify d']);
    jobs.close();
  });

  test('ticks come while nothing can be heard', async () => {
    const clock = new ManualClock();
    const config = { host: '/nonexistent', user: 'u', database: 'd', password: 'p' };
    const listener = new Listener({ config, clock, rng: seededRng('ticks'), log: silentLog });
    const wakes: string[] = [];
    listener.listen('x', (wake) => wakes.push(describeWake(wake)), 1000);
    for (let second = 0; second < 3; second += 1) {
      clock.advance(1000);
      await until('the tick', () => wakes.length === second + 1);
    }
    assert.deepEqual(wakes, ['tick', 'tick', 'tick']);
    await listener.close();
  });

  test('channels carry the schema, and payloads are small', async () => {
    assert.equal(channelName('rf_n', 'job'), 'rf_n.job');
    assert.throws(() => channelName('rf_n', 'a"b'), { code: 'bad-options' });
    await assert.rejects(notify('job', 'x'.repeat(201)), { code: 'bad-options' });
  });
});
