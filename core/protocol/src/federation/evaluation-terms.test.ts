import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterEvaluation, NOT_EVALUATED, type StopState } from './early-stop.ts';
import { mostSums, nextTask } from './evaluation-terms.ts';

/** What the rounds of a federation are for when none is lost, one letter each. */
function rounds(count: number, every: number | undefined): string {
  const terms = { rounds: { count }, ...(every === undefined ? {} : { evaluation: { every } }) };
  let [told, summed, evaluated] = ['', 0, 0];
  for (let task = nextTask(terms, { summed, evaluated }); task !== undefined;) {
    told += task.charAt(0);
    if (task === 'train') summed += 1;
    else evaluated = summed;
    assert.ok(told.length <= 2 * count);
    task = nextTask(terms, { summed, evaluated });
  }
  assert.equal(told.length, mostSums(terms), 'the custodian lets as many begin');
  return told;
}

test('the model is tested after every so many sums and after the last, each state of it once', () => {
  assert.equal(rounds(3, undefined), 'ttt');
  assert.equal(rounds(3, 1), 'tetete');
  assert.equal(rounds(4, 2), 'ttette');
  assert.equal(rounds(5, 2), 'ttettete');
  assert.equal(rounds(2, 10), 'tte');
  for (let count = 1; count < 30; count += 1) for (let every = 1; every < 32; every += 1) rounds(count, every);
});

test('training stops after so many evaluations without a lower loss', () => {
  const rule = { patience: 2, least: 0.1 };
  const stops: boolean[] = [];
  let state: StopState = NOT_EVALUATED;
  for (const loss of [NaN, 1, 0.95, 0.8, 0.75, 0.69, 0.65, 0.62]) {
    const next = afterEvaluation(rule, JSON.parse(JSON.stringify(state)) as StopState, loss);
    stops.push(next.stop);
    state = { best: next.best, since: next.since };
  }
  assert.deepEqual(stops, [false, false, false, false, false, false, false, true]);
  assert.deepEqual(state, { best: 0.69, since: 2 });
});
