import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '../control-plane.fixture.ts';
import { offerOf } from '../organisation.fixture.ts';
import type { Tx } from '../store/open-store.ts';
import { KeptInventory, PLACING } from './kept-inventory.ts';
import { startTwoOffers } from './two-offers.fixture.ts';

test('an inventory that reads only what changed knows what one knows that reads all', async (t) => {
  const { house, other, link, store } = await startTwoOffers(t);
  const kept = new KeptInventory(PLACING);
  let now = systemClock.now();
  const change = <T>(run: (tx: Tx) => Promise<T>) => store.withOrg(house.org, run);
  const known = (inventory: KeptInventory, tx: Tx) =>
    inventory.bringUpToDate(tx, now).then(() => ({ epoch: inventory.epoch, all: inventory.all() }));
  const look = () =>
    change(async (tx) => {
      const [mine, all] = [await known(kept, tx), await known(new KeptInventory(PLACING), tx)];
      // When a silent agent was last heard is read again only once it matters.
      const told = ({ epoch, all: offers }: typeof mine) => ({
        epoch,
        offers: offers
          .map((offer) => ({ ...offer, mark: { ...offer.mark, standing: undefined } }))
          .toSorted((a, b) => (a.mark.offer < b.mark.offer ? -1 : 1)),
      });
      assert.deepEqual(told(mine), told(all));
      return mine.all.find(({ mark }) => mark.offer === other.offer);
    });
  const heard = (seen_at: number | null) =>
    change((tx) => tx.updateTable('party').set({ seen_at }).where('id', '=', other.id).execute());
  const take = (tx: Tx) =>
    tx
      .updateTable('offer')
      .set((column) => ({ free_cpu_milli: 7, row_version: column('row_version', '+', 1) }))
      .where('offer', '=', other.offer)
      .execute();
  assert.equal((await look())?.mark.state.online, true);

  // An offer keeps its id, so that none is known that is there no more.
  const versions = () => change((tx) => tx.selectFrom('offer').select(['offer', 'epoch', 'row_version']).execute());
  const row = async () => (await versions()).find(({ offer }) => offer === other.offer);
  const first = await row();
  await link.send(offerOf(other, { offer: newId('offer', systemRng), epoch: 2 }));
  await link.send(offerOf(other, { epoch: 3 }));
  await until('the last offer', async () => (await versions()).some(({ epoch }) => epoch === 3));
  assert.equal((await row())?.row_version, (first?.row_version ?? assert.fail()) + 1, 'another id changes nothing');
  await look();

  // It began before what is read in between, and is committed after it.
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const { promise: begun, resolve: onBegun } = Promise.withResolvers<void>();
  const late = change(async (tx) => {
    await take(tx);
    onBegun();
    await held;
  });
  await begun;
  await change((tx) => tx.updateTable('party').set({ draining: true }).where('id', '=', house.agent.id).execute());
  await look();
  await look();
  letGo();
  await late;
  assert.equal((await look())?.found?.free.cpuMilli, 7);

  await heard(now);
  now = epochMs(now + 36_000);
  assert.equal((await look())?.mark.state.online, false, 'nobody wrote anything, but the time has passed');
  await heard(now);
  assert.equal((await look())?.mark.state.online, true);
  await heard(null);
  assert.equal((await look())?.mark.state.online, false);
  await heard(now);
  await change((tx) => tx.updateTable('party').set({ locked: 'fork' }).where('id', '=', other.id).execute());
  assert.equal((await look())?.mark.state.locked, true);
  await change((tx) => tx.updateTable('party').set({ removed: true }).where('id', '=', other.id).execute());
  assert.equal(await look(), undefined);
});
