import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock, silentLog } from '@ringfence/base';
import { DiskRoom } from '@ringfence/base/platform';
import { sampleOffer } from '@ringfence/protocol/samples';
import { OfferKeeper } from '../link/offer-keeper.ts';
import { openOrganisation } from './organisation.fixture.ts';

describe('a machine whose disk is nearly full', () => {
  it('refuses a lease before the custodian is asked', async (t) => {
    const organisation = await openOrganisation(t);
    const disk = new DiskRoom([organisation.machine.state], Number.MAX_SAFE_INTEGER);
    Object.assign(organisation.context, { machine: { ...organisation.machine, disk } });
    await organisation.lease();
    await organisation.settled();
    assert.deepEqual(organisation.facts(), ['leased', 'refused']);
    assert.match(organisation.log.join(''), /attempt\.refused.*disk-full/);
    assert.ok(!organisation.requests.includes('/v1/grants'));
  });

  it('offers itself anew when it becomes full, when there is room again, and when its admission ends, each time with a higher number', async () => {
    const clock = new ManualClock();
    const disk = { full: false, over: false };
    const sent: [number, number][] = [];
    const keeper = new OfferKeeper({
      offer: (epoch) => sampleOffer({ epoch, diskBytes: disk.full || disk.over ? 0 : 1e9 }),
      nextEpoch: () => 7,
      send: async ({ epoch, diskBytes }) => void sent.push([epoch, diskBytes]),
      isFull: () => disk.full,
      isOver: () => disk.over,
      clock,
      log: silentLog,
    });
    const pass = async (): Promise<void> => {
      clock.advance(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    };
    assert.ok(await keeper.start());
    await pass();
    disk.full = true;
    await pass();
    await pass();
    disk.full = false;
    await pass();
    disk.over = true;
    await pass();
    await pass();
    await keeper.stop();
    assert.deepEqual(sent, [
      [7, 1e9],
      [8, 0],
      [9, 1e9],
      [10, 0],
    ]);
    assert.equal(clock.waiting, 0);
  });
});
