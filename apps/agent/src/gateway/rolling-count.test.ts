import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RollingCount } from './rolling-count.ts';

describe('a rolling count', () => {
  it('never forgets what happened within its window, and everything a second after it', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 90_000 }), fc.integer({ min: 0, max: 5 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (given) => {
        const rolling = new RollingCount(60);
        const events: { at: number; amount: number }[] = [];
        let now = 0;
        for (const [wait, amount] of given) {
          now += wait;
          rolling.add(amount, now);
          events.push({ at: now, amount });
          const within = (ms: number): number =>
            events.filter(({ at }) => at > now - ms).reduce((sum, event) => sum + event.amount, 0);
          const sum = rolling.sum(now);
          assert.ok(sum >= within(60_000), `${sum} of ${within(60_000)}`);
          assert.ok(sum <= within(61_000), `${sum} of ${within(61_000)}`);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('says when it will be below a limit, and then is', () => {
    const rolling = new RollingCount(60);
    rolling.add(3, 500);
    rolling.add(2, 10_500);
    const wait = rolling.secondsUntilBelow(3, 20_000);
    assert.ok(rolling.sum(20_000 + (wait - 1) * 1_000) >= 3);
    assert.ok(rolling.sum(20_000 + wait * 1_000) < 3);
  });
});
