import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ManualClock } from '@ringfence/base';
import { FreshSets, type Sets } from './fresh-sets.ts';

function opened() {
  const clock = new ManualClock();
  const sets = new FreshSets<string, number>(clock);
  const loads: PromiseWithResolvers<Sets<number>>[] = [];
  const load = () => {
    const one = Promise.withResolvers<Sets<number>>();
    loads.push(one);
    return one.promise;
  };
  const answer = (place: number, ...values: number[]) => loads[place]?.resolve([new Set(values)]);
  return { clock, sets, loads, answer, has: (value: number, key = 'a') => sets.has(key, value, load) };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('what is remembered of a key for a second', () => {
  it('is loaded once for all who ask meanwhile, and says yes again without a load until it is old', async () => {
    const { clock, loads, answer, has } = opened();
    const asked = [has(1), has(2), has(1)];
    answer(0, 1, 2);
    assert.deepEqual([await Promise.all(asked), loads.length], [[true, true, true], 1]);
    clock.advance(999);
    assert.deepEqual([await has(2), loads.length], [true, 1]);
    clock.advance(1);
    const later = has(2);
    answer(1);
    assert.deepEqual([await later, loads.length], [false, 2]);
  });

  it('says no only from a load that began after the question, one for all who waited', async () => {
    const { loads, answer, has } = opened();
    const before = has(1);
    const [granted, other] = [has(7), has(8)];
    answer(0, 1);
    assert.equal(await before, true);
    await turn();
    assert.equal(loads.length, 2);
    answer(1, 1, 7);
    assert.deepEqual([await granted, await other, loads.length], [true, false, 2]);
  });

  it('is forgotten when it is old, whoever asks next, and a load that fails is not the answer of the next one', async () => {
    const { clock, sets, loads, answer, has } = opened();
    for (let key = 0; key < 100; key += 1) {
      const asked = has(1, `agent ${key}`);
      answer(key, 1);
      await asked;
    }
    clock.advance(1_000);
    const fails = has(1);
    assert.equal(sets.size, 1);
    const waits = has(1);
    loads[100]?.reject(new Error('the database is away'));
    await assert.rejects(fails, /away/);
    await turn();
    answer(101, 1);
    assert.equal(await waits, true);
  });
});
