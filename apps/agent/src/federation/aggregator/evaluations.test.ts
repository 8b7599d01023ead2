import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Decimal } from '@ringfence/protocol/federation';
import { Evaluations } from './evaluations.ts';

const ZERO = '0' as Decimal;
const terms = (metric: 'loss' | 'accuracy', every = 1) => ({
  rounds: { count: 5, longestMs: 1_000 },
  evaluation: { every, stop: { metric, patience: 2, minDelta: ZERO } },
});
const model = (of: number): Float32Array => Float32Array.of(of, -of);

test('without a rule every sum is of training, and a checkpoint is the strategy’s state as it is', () => {
  const none = new Evaluations({ rounds: { count: 2, longestMs: 1_000 } });
  assert.deepEqual(
    [0, 1, 2].map((summed) => none.next(summed)),
    ['train', 'train', undefined],
  );
  const state = Uint8Array.of(1, 2, 3);
  assert.deepEqual(none.keep(state), state);
});

test('the best of losses is the lowest and of accuracies the highest; equal is no better', () => {
  for (const [metric, values, best, tested] of [
    ['loss', [2, 1, 1, 3], 2, 4],
    ['accuracy', [0.5, 0.75, 0.75, 0.7], 2, 4],
    ['loss', [1, 2, 3], 1, 3],
    ['accuracy', [0.1, 0.2, 0.3, 0.4, 0.5], 5, 5],
  ] as const) {
    const evaluations = new Evaluations(terms(metric));
    let summed = 0;
    for (const value of values) {
      assert.equal(evaluations.next(summed), 'train');
      summed += 1;
      assert.equal(evaluations.next(summed), 'evaluate');
      evaluations.take(summed, model(summed), { examples: 1, metrics: { [metric]: value } });
    }
    assert.equal(evaluations.next(summed), undefined);
    assert.equal(summed, tested);
    assert.deepEqual(evaluations.final(model(9)), model(best));
  }
});

test('a metric that nobody reports is no improvement, and leaves the last model', () => {
  const evaluations = new Evaluations(terms('accuracy'));
  for (const summed of [1, 2]) evaluations.take(summed, model(summed), { examples: 1, metrics: { loss: 1 } });
  assert.equal(evaluations.next(2), undefined);
  assert.deepEqual(evaluations.final(model(9)), model(9));
});

test('it goes on from a checkpoint as if it had not stopped', () => {
  const evaluations = new Evaluations(terms('loss', 2));
  assert.deepEqual(
    [1, 2, 3, 4, 5].map((summed) => evaluations.next(summed)),
    ['train', 'evaluate', 'train', 'evaluate', 'evaluate'],
  );
  evaluations.take(2, model(2), { examples: 1, metrics: { loss: 1 } });
  evaluations.take(4, model(4), { examples: 1, metrics: { loss: 2 } });
  const state = Uint8Array.of(7, 8, 9);
  const kept = evaluations.keep(state);
  const read = Evaluations.read(terms('loss', 2), kept);
  assert.deepEqual(read.state, state);
  assert.deepEqual(read.evaluations.keep(state), kept);
  assert.deepEqual([read.evaluations.next(4), read.evaluations.next(5)], ['train', 'evaluate']);
  read.evaluations.take(5, model(5), { examples: 1, metrics: { loss: 3 } });
  assert.equal(read.evaluations.next(5), undefined);
  assert.deepEqual(read.evaluations.final(model(5)), model(2));
  for (let length = 0; length < kept.length - state.length; length += 1)
    assert.throws(() => Evaluations.read(terms('loss', 2), kept.slice(0, length)), { code: 'bad-encoding' });
});
