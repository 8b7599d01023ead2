import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { amounts, at, queue, QUEUES } from './fair-share.fixture.ts';
import { readFairShareTerms } from './queue-terms.ts';
import { QueueTree } from './queue-tree.ts';

const [a, b] = [at(QUEUES, 0), at(QUEUES, 1)];

function faultsOf(queues: readonly unknown[]): string[] {
  const read = readFairShareTerms({ queues, rebalance: false });
  return read.allow ? [] : read.reasons.map(({ field, fault }) => `${field} ${fault}`);
}

test('terms that are no tree, or whose amounts do not add up, are refused with every fault', () => {
  assert.deepEqual(faultsOf([queue(0, 4), queue(1, 4, { parent: a })]), []);
  assert.deepEqual(faultsOf([queue(0, 4), queue(0, 4)]), ['queues.1.queue twice']);
  assert.deepEqual(faultsOf([queue(0, 4, { parent: b })]), ['queues.0.parent no-such-parent']);
  assert.deepEqual(faultsOf([queue(0, 4, { parent: a })]), ['queues.0.parent circle']);
  assert.deepEqual(faultsOf([queue(0, 4, { parent: b }), queue(1, 4, { parent: a })]), [
    'queues.0.parent circle',
    'queues.1.parent circle',
  ]);
  const deep = [0, 1, 2, 3, 4].map((index) => queue(index, 1, index === 0 ? {} : { parent: at(QUEUES, index - 1) }));
  assert.deepEqual(faultsOf(deep), ['queues.4.parent too-deep']);
  assert.deepEqual(faultsOf(deep.slice(0, 4)), []);
  assert.deepEqual(faultsOf([queue(0, 4), queue(1, 5, { parent: a })]), [
    'queues.0.nominal.cpuMilli less-than-its-queues-have',
  ]);
  assert.deepEqual(faultsOf([queue(0, 4, { lending: { cpuMilli: 5, gpuMilli: 1 } })]), [
    'queues.0.lending.cpuMilli lends-more-than-it-has',
    'queues.0.lending.gpuMilli lends-more-than-it-has',
  ]);
  assert.deepEqual(faultsOf([queue(0, 1e15 + 1)]), ['queues.0.nominal.cpuMilli out-of-range']);
  assert.deepEqual(faultsOf(QUEUES.slice(0, 20).map((_, index) => queue(index, 1e15))), [
    'queues.*.nominal.cpuMilli out-of-range',
  ]);
  for (const weight of [0, -1, 1.5, NaN, Infinity, '1'])
    assert.equal(faultsOf([{ ...queue(0, 4), weight }]).length, 1, String(weight));
  assert.deepEqual(faultsOf([{ ...queue(0, 4), name: 'research' }]).length, 1, 'names are not for here');
});

test('100,000 malformed terms: refused with a reason, or a tree that can be asked', () => {
  const seed = 'malformed fair share';
  const rng = seededRng(seed);
  const below = (limit: number): number => (rng.bytes(1)[0] ?? 0) % limit;
  const numbers = [0, 1, 4, 7, -1, 0.5, NaN, Infinity, 1e15, 1e16, '3', null, undefined, {}];
  const number = (): unknown => numbers[below(3) > 0 ? below(4) : below(numbers.length)];
  const id = (): unknown => (below(40) === 0 ? at(['', 'que_', 'rest', 5, `${a}a`], below(5)) : at(QUEUES, below(5)));
  const some = (): unknown =>
    below(30) === 0
      ? at([null, [], 3], below(3))
      : { cpuMilli: number(), ...(below(2) === 0 ? { gpuMilli: number() } : {}) };
  const counts = { allowed: 0, refused: 0 };
  for (let run = 0; run < 100_000; run += 1) {
    const queues = Array.from({ length: below(4) }, () => ({
      queue: id(),
      weight: 1 + below(3),
      nominal: some(),
      ...(below(2) === 0 ? { parent: id() } : {}),
      ...(below(4) === 0 ? { lending: some() } : {}),
      ...(below(4) === 0 ? { borrowing: some() } : {}),
      ...(below(60) === 0 ? { extra: 1 } : {}),
    }));
    const read = readFairShareTerms({ queues, rebalance: true });
    counts[read.allow ? 'allowed' : 'refused'] += 1;
    if (!read.allow) assert.ok(read.reasons.length > 0, `${seed} ${run}`);
    else if (run % 8 === 0) {
      const tree = new QueueTree(read.terms, amounts(10));
      for (const node of tree.leaves()) tree.charge(node.queue, amounts(1));
      assert.ok(Number.isSafeInteger(tree.root.inside.cpuMilli), `${seed} ${run}`);
    }
  }
  assert.ok(counts.allowed > 10_000 && counts.refused > 10_000, JSON.stringify(counts));
});
