import assert from 'node:assert/strict';
import test from 'node:test';
import { newId, seededRng, type MonotonicMs } from '@ringfence/base';
import { COUNTER_HOLD_MS } from '@ringfence/protocol/messages';
import fc from 'fast-check';
import { holdBeats, type HeldBeats } from './beat-hold.ts';
import { redialDelay } from './redial-delay.ts';
import { SentTimes } from './sent-times.ts';
import { silenceAllowed } from './silence.ts';

test('the first wait is uniform below its bound, later ones grow to four times that', () => {
  const rng = seededRng('redial');
  const waits = (failures: number): number[] => Array.from({ length: 4_000 }, () => redialDelay(failures, 15_000, rng));
  const first = waits(0);
  assert.ok(first.every((wait) => wait >= 0 && wait < 15_000));
  const mean = first.reduce((sum, wait) => sum + wait, 0) / first.length;
  assert.ok(Math.abs(mean - 7_500) < 400, `mean ${mean}`);
  for (const quarter of [0, 1, 2, 3]) {
    const share = first.filter((wait) => Math.floor(wait / 3_750) === quarter).length / first.length;
    assert.ok(Math.abs(share - 0.25) < 0.03, `share ${share} in quarter ${quarter}`);
  }
  assert.ok(waits(1).every((wait) => wait >= 15_000 && wait < 30_000));
  assert.ok(waits(2).every((wait) => wait >= 30_000 && wait < 60_000));
  assert.ok(waits(50).every((wait) => wait >= 30_000 && wait < 60_000));
  assert.ok(redialDelay(0, 0, rng) === 0);
});

test('held counters: whatever a job does, at most one change a minute per attempt, and the present value after that', () => {
  const job = newId('job', seededRng('hold'));
  const steps = fc.array(
    fc.record({ gap: fc.nat({ max: 30_000 }), memory: fc.nat({ max: 63 }), cpu: fc.nat({ max: 63 }) }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(steps, (list) => {
      let held: HeldBeats = new Map();
      let now = 0;
      let changedAt = Number.NEGATIVE_INFINITY;
      let shown: string | undefined;
      for (const { gap, memory, cpu } of list) {
        now += gap;
        const next = holdBeats(held, [{ job, attempt: 1, memory, cpu }], now);
        held = next.held;
        const [beat] = next.attempts;
        const text = `${beat?.memory} ${beat?.cpu}`;
        if (text === shown) continue;
        assert.ok(now - changedAt >= COUNTER_HOLD_MS);
        assert.equal(text, `${memory} ${cpu}`);
        shown = text;
        changedAt = now;
      }
    }),
    { numRuns: 300 },
  );
  const both = holdBeats(
    new Map(),
    [
      { job, attempt: 1, memory: 1, cpu: 1 },
      { job, attempt: 2, memory: 2, cpu: 2 },
    ],
    0,
  );
  assert.equal(holdBeats(both.held, [{ job, attempt: 2, memory: 9, cpu: 9 }], 1).attempts[0]?.memory, 2);
  assert.equal(holdBeats(both.held, [], 1).held.size, 0, 'attempts that ended are forgotten');
});

test('times of sent frames are remembered by sequence, in bounded memory', () => {
  const times = new SentTimes();
  for (let sequence = 0; sequence < 5_000; sequence += 1) times.sent(sequence, (sequence * 10) as MonotonicMs);
  assert.equal(times.at(4_999), 49_990);
  assert.equal(times.at(4_999 - 1_023), (4_999 - 1_023) * 10);
  assert.equal(times.at(4_999 - 1_024), undefined);
  assert.equal(times.at(5_000), undefined, 'a frame that was not sent');
});

test('silence is judged by what the answer may cost', () => {
  assert.equal(silenceAllowed(2_000, 512), 15_000);
  assert.equal(silenceAllowed(10_000, 512), 30_000);
  assert.equal(silenceAllowed(2_000, 8_192), 60_000);
});
