import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenUse } from './token-limiter.ts';

describe('the limits of a token', () => {
  it('let at most so many requests begin within any minute', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat(30_000), { maxLength: 60 }), (limit, waits) => {
        const use = new TokenUse();
        const begun: number[] = [];
        let now = 0;
        for (const wait of waits) {
          now += wait;
          const decision = use.begin({ requestsPerMinute: limit }, now);
          if (decision.allow) begun.push(now);
          else {
            assert.deepEqual(decision.reasons, ['limit-requests']);
            assert.ok(decision.retryAfterS >= 1 && decision.retryAfterS <= 61);
          }
          assert.ok(begun.filter((at) => at > now - 60_000).length <= limit);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('let at most so many requests be under way, and give the place back', () => {
    const use = new TokenUse();
    const limits = { concurrency: 2 };
    assert.ok(use.begin(limits, 0).allow && use.begin(limits, 0).allow);
    assert.deepEqual(use.begin(limits, 0), { allow: false, reasons: ['limit-concurrency'], retryAfterS: 1 });
    use.end(0, 0);
    assert.ok(use.begin(limits, 0).allow);
  });

  it('refuse once the tokens of a minute are spent, until they are a minute old', () => {
    const use = new TokenUse();
    const limits = { tokensPerMinute: 100 };
    assert.ok(use.begin(limits, 0).allow);
    use.end(150, 5_000);
    const refused = use.begin(limits, 6_000);
    assert.deepEqual(refused, { allow: false, reasons: ['limit-tokens'], retryAfterS: 60 });
    assert.ok(use.begin(limits, 66_000).allow);
  });

  it('count no request that was refused', () => {
    const use = new TokenUse();
    for (let i = 0; i < 5; i += 1) use.begin({ requestsPerMinute: 1 }, 0);
    use.end(0, 0);
    assert.ok(use.isIdle(61_000));
    assert.ok(use.begin({ requestsPerMinute: 1 }, 61_000).allow);
  });
});
