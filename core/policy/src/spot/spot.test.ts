import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkpointInterval, observedMtbf } from './checkpoint-interval.ts';
import { chooseMachine, type Machine, type SpotJob } from './uniform-progress.ts';

interface Weather {
  /** Lengths in looks of times with and without spot, in turn. */
  readonly spans: readonly number[];
  /** Milliseconds after a look at which a spot machine is lost. */
  readonly lossAfterMs: number;
}

interface Run {
  readonly finishedAt: number;
  readonly spotMs: number;
  readonly onDemandMs: number;
}

/** One job in steps of a millisecond of the model's own arithmetic: a loss undoes what is in no checkpoint, a change takes its time. */
function simulate(job: SpotJob, weather: Weather): Run {
  let on: Machine = 'idle';
  let committed = false;
  let changeover = 0;
  let done = 0;
  let safe = 0;
  const used = { spot: 0, 'on-demand': 0, idle: 0 };
  let at = 0;
  for (let looks = 0; looks < 5_000; looks += 1) {
    const spotThere = isThere(weather, looks);
    const lost = on === 'spot' && !spotThere;
    // A loss is seen when it happens: work goes on until then, and the look comes at once.
    if (lost) {
      done = safe;
      on = 'idle';
    }
    const view = { elapsedMs: at, safeMs: safe, done: done >= job.workMs, on, spotThere, committed };
    const choice = chooseMachine(job, view);
    if (choice.on !== on) {
      done = safe;
      changeover = choice.on === 'idle' ? 0 : job.changeoverMs;
    }
    ({ on, committed } = choice);
    if (view.done) break;
    const lossNext = on === 'spot' && !isThere(weather, looks + 1);
    const span = lossNext ? Math.min(job.lookMs, 1 + weather.lossAfterMs) : job.lookMs;
    const works = on === 'idle' ? 0 : Math.max(0, span - changeover);
    changeover = Math.max(0, changeover - span);
    const left = job.workMs - done;
    if (works >= left && on !== 'idle') return { finishedAt: at + (span - works) + left, ...usedWith(span) };
    done += works;
    safe = Math.max(safe, Math.floor(done / job.atRiskMs) * job.atRiskMs);
    used[on] += span;
    at += span;
  }
  return { finishedAt: at, ...usedWith(0) };

  function usedWith(more: number): { spotMs: number; onDemandMs: number } {
    return {
      spotMs: used.spot + (on === 'spot' ? more : 0),
      onDemandMs: used['on-demand'] + (on === 'on-demand' ? more : 0),
    };
  }
}

function isThere({ spans }: Weather, look: number): boolean {
  const whole = spans.reduce((sum, span) => sum + span, 0);
  let left = look % whole;
  for (const [index, span] of spans.entries()) {
    if (left < span) return index % 2 === 0;
    left -= span;
  }
  return false;
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
const weather = fc.record({
  spans: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 8 }),
  lossAfterMs: fc.integer({ min: 0, max: 9_999 }),
});

test('with on-demand machines always there, every deadline is met whatever spot does', () => {
  let onSpot = 0;
  let mixed = 0;
  fc.assert(
    fc.property(jobs, weather, (job, sky) => {
      const { finishedAt, spotMs, onDemandMs } = simulate(job, sky);
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
