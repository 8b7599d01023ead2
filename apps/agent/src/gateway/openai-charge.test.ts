import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canonicalBytes } from '@ringfence/base';
import fc from 'fast-check';
import { chargeOfLeft } from './openai-charge.ts';

const NOTHING = { in: 0, out: 0 };
const prompt = 'x'.repeat(400);

describe('an answer that its caller left', () => {
  it('counts its prompt, and as long as it was allowed to become where nothing of it is seen', () => {
    const asked = (more: object) => chargeOfLeft(canonicalBytes({ model: 'm', prompt, ...more }), NOTHING);
    for (const [more, out] of [
      [{}, 256],
      [{ max_tokens: 90 }, 90],
      [{ max_tokens: 90, max_completion_tokens: 70, n: 2 }, 140],
      [{ max_tokens: null, n: null }, 256],
    ] as const) {
      const charge = asked(more);
      assert.equal(charge.out, out, JSON.stringify(more));
      assert.ok(charge.in >= 100 && charge.in < 140, String(charge.in));
    }
  });

  it('counts what was seen of a stream, and embeddings no answer', () => {
    const stream = canonicalBytes({ model: 'm', prompt, stream: true, max_tokens: 1_000 });
    assert.equal(chargeOfLeft(stream, { in: 0, out: 17 }).out, 17);
    assert.equal(chargeOfLeft(stream, { in: 500, out: 17 }).in, 500);
    assert.equal(chargeOfLeft(canonicalBytes({ model: 'm', input: 'text' }), NOTHING).out, 0);
  });

  it('never counts less than what was seen, whatever the body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(1_000), fc.nat(1_000), (body, seenIn, seenOut) => {
        const charge = chargeOfLeft(body, { in: seenIn, out: seenOut });
        assert.ok(charge.in >= Math.max(seenIn, body.length / 4) && charge.out >= seenOut);
      }),
      { numRuns: 20_000 },
    );
  });
});
