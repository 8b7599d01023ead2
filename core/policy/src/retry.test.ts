import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { JOB_TYPES, RETRY_REASONS, type RetryReason } from '@ringfence/protocol';
import { OUTCOMES } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { backOff, FIRST_BACK_OFF_MS, LONGEST_BACK_OFF_MS, SETTLED_AFTER_MS, type RetryCounts } from './back-off.ts';
import { followUp, type AttemptEnding } from './retry.ts';

const ENDINGS: readonly AttemptEnding[] = [...OUTCOMES, 'refused', 'no-room'];

test('what follows which end, for each reason alone', () => {
  const rows = ENDINGS.map((ending) => {
    const named = RETRY_REASONS.filter((reason) => followUp(ending, { type: 'train', retryOn: [reason] }).allow);
    const served = followUp(ending, { type: 'serve' });
    return `${ending}: ${named.join(' ') || '-'} / ${served.allow ? served.cause : '-'}`;
  });
  assert.deepEqual(rows, [
    'succeeded: - / error',
    'failed: error / error',
    'stopped: - / error',
    'lease-lost: interruption / interruption',
    'interrupted: interruption / interruption',
    'out-of-memory: error / error',
    'timed-out: - / error',
    'setup-failed: error / error',
    'not-started: no-capacity interruption / interruption',
    'refused: no-capacity interruption / interruption',
    'no-room: no-capacity interruption / no-capacity',
  ]);
});

test('without a wish nothing follows, but for services', () => {
  for (const type of JOB_TYPES)
    for (const ending of ENDINGS) {
      assert.equal(followUp(ending, { type }).allow, type === 'serve');
      assert.equal(followUp(ending, { type, retryOn: [] }).allow, type === 'serve');
    }
});

test('the wait doubles by cause up to five minutes, is spread over all of it, and begins anew after a long run', () => {
  const rng = seededRng('back-off');
  const ends = fc.array(
    fc.record({ cause: fc.constantFrom(...RETRY_REASONS), ranMs: fc.integer({ min: 0, max: 700_000 }) }),
  );
  fc.assert(
    fc.property(ends, (history) => {
      let counts: RetryCounts = {};
      const since = new Map<RetryReason, number>();
      for (const { cause, ranMs } of history) {
        if (ranMs >= SETTLED_AFTER_MS) since.clear();
        const before = since.get(cause) ?? 0;
        since.set(cause, before + 1);
        const next = backOff({ counts, cause, ranMs, rng });
        counts = next.counts;
        const most = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** before);
        if (cause === 'no-capacity') assert.equal(next.delayMs, LONGEST_BACK_OFF_MS);
        else assert.ok(next.delayMs >= 0 && next.delayMs <= most, `${next.delayMs} of ${most}`);
      }
    }),
    { numRuns: 2_000 },
  );
  const draws = Array.from(
    { length: 400 },
    () => backOff({ counts: { error: 3 }, cause: 'error', ranMs: 0, rng }).delayMs,
  );
  const quarters = [0, 1, 2, 3].map((at) => draws.filter((ms) => Math.floor(ms / 2_000.5) === at).length);
  assert.ok(
    quarters.every((count) => count > 60),
    `full jitter: ${quarters.join(' ')}`,
  );
  assert.deepEqual(backOff({ counts: { error: 20 }, cause: 'error', ranMs: 0, rng }).counts, { error: 20 });
});
