import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, silentLog } from '@ringfence/base';
import { sampleOffer } from '@ringfence/protocol/samples';
import { OfferKeeper } from './offer-keeper.ts';

function keeper(change: Parameters<typeof sampleOffer>[0], send?: () => Promise<void>) {
  const sent: { epoch: number; diskBytes: number }[] = [];
  const options = {
    offer: (epoch: number) => sampleOffer({ ...change, epoch, diskBytes: 5e9 }),
    nextEpoch: () => 7,
    send:
      send ??
      (async ({ epoch, diskBytes }: { epoch: number; diskBytes: number }) => void sent.push({ epoch, diskBytes })),
    isFull: () => false,
    isOver: () => false,
    clock: new ManualClock(),
    log: silentLog,
  };
  return { sent, keeper: new OfferKeeper(options) };
}

test('a spot machine that stops says that it takes no new work; others, and those that offered nothing, say nothing', async () => {
  const spot = keeper({ tier: 'secure-cloud', spot: true });
  await spot.keeper.start();
  await spot.keeper.stop();
  assert.deepEqual(spot.sent, [
    { epoch: 7, diskBytes: 5e9 },
    { epoch: 8, diskBytes: 0 },
  ]);
  const own = keeper({});
  await own.keeper.start();
  await own.keeper.stop();
  assert.deepEqual(own.sent, [{ epoch: 7, diskBytes: 5e9 }]);
  const silent = keeper({ spot: true });
  await silent.keeper.stop();
  assert.deepEqual(silent.sent, []);
});

test('a stop goes on when the journal takes nothing any more', async () => {
  let calls = 0;
  const failing = keeper({ spot: true }, async () => {
    calls += 1;
    if (calls > 1) throw new Error('the disk is gone');
  });
  await failing.keeper.start();
  await failing.keeper.stop();
  assert.equal(calls, 2);
});
