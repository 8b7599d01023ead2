import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { until } from '../control-plane.fixture.ts';
import { memberOf, newAgent, offerOf, PLACEMENT } from '../organisation.fixture.ts';
import { KeptInventory, PLACING } from './kept-inventory.ts';
import { reserveOffers } from './reserve-offers.ts';
import { startTwoOffers } from './two-offers.fixture.ts';

const label = { sensitivity: 'internal', residency: [] } as const;

test('an inventory in step with the rows: who loses a race chooses anew, and what is asked is explained', async (t) => {
  const { house, controlPlane, client, custodian, other, store } = await startTwoOffers(t);
  const request = { placement: PLACEMENT, label, now: epochMs(systemClock.now()) };
  const [first, second] = [house.agent.offer, other.offer].toSorted();
  assert.ok(first !== undefined && second !== undefined);

  await t.test(
    'a row that changed since it was read is not taken, nor is any other of its turn: all choose anew',
    async () => {
      const kept = new KeptInventory(PLACING);
      await store
        .withOrg(house.org, async (tx) => {
          await kept.bringUpToDate(tx, request.now);
          const before = kept.epoch;
          await tx
            .updateTable('offer')
            .set((column) => ({ free_cpu_milli: 0, row_version: column('row_version', '+', 1) }))
            .where('offer', '=', first)
            .execute();
          // Four would have gone to the first, and one to the second.
          const turn = await reserveOffers(tx, kept, (desk) =>
            Array<typeof request>(5)
              .fill(request)
              .map((one) => desk.take((place) => place(one))),
          );
          const chosen = turn.map(({ placement: { decision } }) =>
            decision.allow ? decision.chosen.offer : undefined,
          );
          assert.deepEqual(chosen, [second, second, second, second, undefined]);
          assert.deepEqual(turn[0]?.placement.explanation.refused, [{ constraint: 'cpu', count: 1 }]);
          assert.deepEqual(
            turn.map(({ inventoryEpoch }) => inventoryEpoch - before),
            [1, 2, 3, 4, 5],
          );
          const rows = await tx.selectFrom('offer').select(['offer', 'free_cpu_milli']).orderBy('offer').execute();
          assert.deepEqual(
            rows.map(({ free_cpu_milli }) => free_cpu_milli),
            [0, 0],
          );
          await kept.bringUpToDate(tx, request.now);
          assert.equal(kept.epoch, before + 5, 'the rows have the versions that were noted');
          throw new Error('rolled back');
        })
        .catch((error: Error) => assert.equal(error.message, 'rolled back'));
    },
  );

  await t.test('a plan and why reserve nothing and say what giving up would bring', async () => {
    const big = { ...PLACEMENT, resources: { ...PLACEMENT.resources, cpuMilli: 5_000 } };
    const plan = await client.plan({ placement: big, sensitivity: 'internal' });
    assert.deepEqual([plan.considered, plan.feasible, plan.chosen], [2, 0, null]);
    assert.deepEqual(plan.relaxations, [{ giveUp: ['cpu'], offers: 2 }]);
    const fits = await client.plan({ placement: PLACEMENT, sensitivity: 'internal' });
    assert.deepEqual(
      fits.top.map(({ offer }) => offer),
      [first, second],
    );
    assert.equal(fits.chosen?.offer, first);
    const { job } = await client.submit(house.submission({ placement: { resources: big.resources } }));
    assert.deepEqual(await client.why(job), plan);
    assert.deepEqual(await client.whyNot(job, second), { fits: false, failed: ['cpu'] });
    await assert.rejects(client.whyNot(job, newId('offer', systemRng)), { code: 'not-found' });
    await assert.rejects(client.why(newId('job', systemRng)), { code: 'not-found' });
  });

  await t.test(
    'an offer away from home says its price; one that contradicts itself gets no jobs and says why',
    async () => {
      const [cheap, broken] = [newAgent(), newAgent()];
      for (const agent of [cheap, broken]) await custodian.send(memberOf(agent));
      const price = { microUnits: 1_200_000, currency: 'EUR' };
      const away = { tier: 'secure-cloud', region: 'de-1', price, spot: true, speedMilli: 2_000 } as const;
      await house.dial(t, controlPlane, cheap).send(offerOf(cheap, away));
      await house.dial(t, controlPlane, broken).send(offerOf(broken, { price }));
      await until('four offers', async () => (await client.offers()).length === 4);
      const offers = await client.offers();
      const find = ({ offer }: typeof cheap) => offers.find((other) => other.offer === offer);
      const { offered } = find(cheap) ?? {};
      assert.deepEqual([offered?.region, offered?.price, offered?.spot, offered?.speed], ['de-1', price, true, 2]);
      assert.deepEqual(find(broken)?.quarantined, [{ field: 'price', fault: 'private-price' }]);
      assert.equal(find(broken)?.offered, null);
      const outside = { ...PLACEMENT, tiers: ['secure-cloud' as const], maxPrice: { microUnits: 1, currency: 'EUR' } };
      const plan = await client.plan({ placement: outside, sensitivity: 'public' });
      assert.equal(plan.considered, 3);
      const home = { constraint: 'tier', count: 2 } as const;
      assert.deepEqual(plan.soleFailures, [home, { constraint: 'price', count: 1 }]);
      const paid = await client.plan({ placement: { ...outside, maxPrice: price }, sensitivity: 'public' });
      assert.equal(paid.chosen?.offer, cheap.offer);
      assert.deepEqual(paid.top[0]?.terms, { cost: 1.2, speed: 0.5, reliability: 0, gravity: 0 });
      const never = await client.plan({
        placement: { ...outside, maxPrice: price, spot: 'never' },
        sensitivity: 'public',
      });
      assert.deepEqual(never.soleFailures, [home, { constraint: 'spot', count: 1 }]);
    },
  );

  await t.test('many at once share transactions, and none is placed twice or beyond what is free', async () => {
    const jobs = await Promise.all(Array.from({ length: 10 }, () => client.submit(house.submission())));
    const states = async () => (await client.jobs()).filter(({ job }) => jobs.some((one) => one.job === job));
    await until(
      'eight are leased',
      async () => (await states()).filter(({ state }) => state === 'leased').length === 8,
    );
    await until('two say why', async () => {
      const waiting = (await states()).filter(({ state }) => state === 'queued');
      const views = await Promise.all(waiting.map(({ job }) => client.job(job)));
      return views.every(({ waitingFor }) => JSON.stringify(waitingFor).includes('cpu'));
    });
    const epochs = new Set<number>();
    for (const { job } of jobs) {
      const [attempt] = (await client.job(job)).attempts;
      const receipt = JSON.parse(Buffer.from(attempt?.receipt.payload ?? 'e30=', 'base64').toString());
      if (attempt !== undefined) epochs.add(receipt.inventoryEpoch);
    }
    assert.equal(epochs.size, 8, 'each decision names an epoch of its own');
  });
});
