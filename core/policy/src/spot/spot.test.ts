import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketMs, checkpointInterval, lossBucket, observedMtbf } from './checkpoint-interval.ts';
import { simulateJob, type SpotWeather } from './simulate-job.ts';
import { chooseMachine, type SpotJob } from './uniform-progress.ts';

/** Times with and without spot in turn, by their lengths, over and over. */
function inTurn(spans: readonly number[]): SpotWeather {
  const whole = spans.reduce((sum, span) => sum + span, 0);
  return {
    at(ms) {
      let end = ms - (ms % whole);
      for (const [index, span] of spans.entries()) {
        end += span;
        if (ms < end) return { there: index % 2 === 0, until: end };
      }
      throw new RangeError('no time is after all spans');
    },
  };
}

const jobs = fc
  .record({
    workMs: fc.integer({ min: 1_000, max: 400_000 }),
    slackMs: fc.integer({ min: 0, max: 800_000 }),
    changeoverMs: fc.integer({ min: 0, max: 20_000 }),
    atRiskMs: fc.integer({ min: 1, max: 30_000 }),
    lookMs: fc.integer({ min: 1_000, max: 10_000 }),
  })
  .map(({ slackMs, ...job }): SpotJob => ({
    ...job,
    deadlineMs: job.workMs + job.changeoverMs + job.lookMs + slackMs,
  }));
const weather = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 2, maxLength: 8 }).map(inTurn);

test('with on-demand machines always there, every deadline is met whatever spot does', () => {
  let onSpot = 0;
  let mixed = 0;
  fc.assert(
    fc.property(jobs, weather, (job, sky) => {
      const { finishedAt, spotMs, onDemandMs } = simulateJob(job, sky);
      if (spotMs > 0 && onDemandMs === 0) onSpot += 1;
      if (spotMs > 0 && onDemandMs > 0) mixed += 1;
      assert.ok(finishedAt <= job.deadlineMs, `finished ${finishedAt - job.deadlineMs} ms late`);
    }),
    { numRuns: 5_000 },
  );
  // The property says nothing of jobs that never leave on-demand machines.
  assert.ok(onSpot > 500 && mixed > 500, `${onSpot} on spot alone, ${mixed} on both`);
});

test('the same view is chosen for the same way, by the rules in their order', () => {
  const job = { workMs: 100_000, deadlineMs: 200_000, changeoverMs: 1_000, atRiskMs: 5_000, lookMs: 1_000 };
  const view = { elapsedMs: 0, safeMs: 0, done: false, on: 'idle', spotThere: true, committed: false } as const;
  const rule = (change: Partial<Parameters<typeof chooseMachine>[1]>) =>
    chooseMachine(job, { ...view, ...change }).rule;
  assert.equal(rule({}), 'taking-risks');
  assert.equal(rule({ spotThere: false }), 'wait');
  assert.equal(rule({ spotThere: false, elapsedMs: 50_000 }), 'uniform-progress');
  assert.equal(rule({ spotThere: true, elapsedMs: 50_000 }), 'taking-risks');
  assert.equal(rule({ on: 'on-demand', elapsedMs: 50_000, safeMs: 25_500 }), 'hysteresis');
  assert.equal(rule({ on: 'on-demand', elapsedMs: 50_000, safeMs: 26_000 }), 'taking-risks');
  assert.equal(rule({ on: 'spot', elapsedMs: 95_000 }), 'exploitation');
  // R = 108,000 leaves exactly C + 2d + 5,000 + 1,000.
  assert.equal(rule({ elapsedMs: 92_000 }), 'taking-risks');
  assert.equal(rule({ elapsedMs: 92_001 }), 'safety-net');
  assert.equal(rule({ committed: true, safeMs: 90_000 }), 'safety-net');
  assert.equal(rule({ done: true, committed: true }), 'thrifty');
});

test('checkpoints cost least at the interval that Young gives, against its neighbours', () => {
  const losses = fc.record({ costMs: fc.integer({ min: 1, max: 60_000 }), mtbfMs: fc.integer({ min: 1, max: 1e9 }) });
  fc.assert(
    fc.property(losses, ({ costMs, mtbfMs }) => {
      const interval = checkpointInterval({ costMs, mtbfMs });
      assert.ok(interval >= costMs);
      // Young (1974): overhead a unit of work is C/T for checkpoints, T/2M for what is done again.
      const overhead = (every: number) => costMs / every + every / (2 * mtbfMs);
      if (interval > costMs)
        assert.ok(overhead(interval) <= Math.min(overhead(interval * 1.01), overhead(interval / 1.01)));
    }),
  );
  // 2 · 5 min · 24 h: two hours.
  assert.equal(checkpointInterval({ costMs: 300_000, mtbfMs: 86_400_000 }), 7_200_000);
  assert.equal(observedMtbf({ ranMs: 0, losses: 0, priorMs: 3_600_000 }), 3_600_000);
  assert.equal(observedMtbf({ ranMs: 9_000, losses: 4, priorMs: 1_000 }), 2_000);
});

test('what is signed of the time between losses is a power of two of seconds that is not longer', () => {
  fc.assert(
    fc.property(fc.double({ min: 1_000, max: 1e13, noNaN: true }), (mtbfMs) => {
      const bucket = lossBucket(mtbfMs);
      assert.ok(bucketMs(bucket) <= mtbfMs);
      assert.ok(bucket === 30 || mtbfMs < bucketMs(bucket + 1));
    }),
  );
  assert.deepEqual([lossBucket(0), lossBucket(1_999), lossBucket(2_000), lossBucket(1e15)], [0, 0, 1, 30]);
});
