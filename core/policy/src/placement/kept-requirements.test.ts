import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Inventory } from './inventory.ts';
import { Placer } from './placer.ts';
import { RandomPlacement } from './random-placement.fixture.ts';

test('fewer requirements are kept worked out, the more kinds of offers there are; never fewer than eight', () => {
  const random = new RandomPlacement('kept requirements');
  const inventory = new Inventory();
  const placer = new Placer(inventory, { currency: 'EUR', mostFits: 30, mostTallies: 40, mostFitted: 1_000 });
  const ask = (): void => {
    for (let count = 0; count < 400; count += 1) placer.place(random.request());
  };
  inventory.load([random.offer()]);
  ask();
  assert.deepEqual(placer.kept, { fits: 30, tallies: 40 });
  while (inventory.classes.length < 50) inventory.put(random.offer());
  ask();
  assert.deepEqual(placer.kept, { fits: 20, tallies: 20 });
  while (inventory.classes.length < 200) inventory.put(random.offer());
  ask();
  assert.deepEqual(placer.kept, { fits: 8, tallies: 8 });
});
