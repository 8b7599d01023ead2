import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseServerState, serverStateBytes } from './server-state-bytes.ts';
import { serverStep, startServer, type Strategy } from './server-step.ts';

const ADAPTIVE = { rate: 0.1, beta1: 0.9, beta2: 0.99, tau: 0.01 };
const STRATEGIES: readonly Strategy[] = [
  { kind: 'fedavg', rate: 1, momentum: 0 },
  { kind: 'fedavg', rate: 0.5, momentum: 0.9 },
  { kind: 'fedprox', rate: 1, mu: 0.1 },
  { kind: 'fedadam', ...ADAPTIVE },
  { kind: 'fedyogi', ...ADAPTIVE },
  { kind: 'fedadagrad', rate: 0.1, tau: 0.01 },
];
const MEANS = [
  [0.5, -2, 0],
  [0.25, 1, 1e-3],
  [-1, 0.125, 3],
].map((mean) => Float64Array.from(mean));

/** The model's first two coordinates after the three rounds, by arithmetic written anew: one coordinate, one formula a line. */
function byHand(strategy: Strategy, mean: readonly number[]): number {
  let [x, m, v] = [1, 0, 'tau' in strategy ? strategy.tau ** 2 : 0];
  for (const d of mean) {
    if (strategy.kind === 'fedavg') {
      m = strategy.momentum * m + d;
      x += strategy.rate * m;
    } else if (strategy.kind === 'fedprox') x += strategy.rate * d;
    else if (strategy.kind === 'fedadagrad') {
      v += d * d;
      x += (strategy.rate * d) / (Math.sqrt(v) + strategy.tau);
    } else {
      m = strategy.beta1 * m + (1 - strategy.beta1) * d;
      if (strategy.kind === 'fedadam') v = strategy.beta2 * v + (1 - strategy.beta2) * d * d;
      else v = d * d > v ? v + (1 - strategy.beta2) * d * d : v - (1 - strategy.beta2) * d * d;
      x += (strategy.rate * m) / (Math.sqrt(v) + strategy.tau);
    }
  }
  return x;
}

for (const strategy of STRATEGIES)
  describe(JSON.stringify(strategy), () => {
    const start = startServer(strategy, Float32Array.of(1, 1, 1));

    test('moves the model as its paper says', () => {
      const end = MEANS.reduce((state, mean) => serverStep(strategy, state, mean), start);
      assert.equal(end.rounds, 3);
      for (const at of [0, 1, 2]) {
        const expected = byHand(
          strategy,
          MEANS.map((mean) => mean[at] ?? 0),
        );
        assert.ok(Math.abs((end.model[at] ?? 0) - expected) < 1e-12, `${end.model[at]} ${expected}`);
      }
    });

    test('goes on from a checkpoint as if it had not stopped', () => {
      const whole = MEANS.reduce((state, mean) => serverStep(strategy, state, mean), start);
      const resumed = MEANS.reduce(
        (state, mean) => serverStep(strategy, parseServerState(serverStateBytes(state)), mean),
        parseServerState(serverStateBytes(start)),
      );
      assert.deepEqual(resumed, whole);
    });

    test('refuses another model’s mean and one that is not finite', () => {
      assert.throws(() => serverStep(strategy, start, new Float64Array(2)), { code: 'bad-size' });
      assert.throws(() => serverStep(strategy, start, Float64Array.of(0, NaN, 0)), { code: 'bad-update' });
    });
  });

test('bytes that are no checkpoint are refused, 100,000 of them', () => {
  const good = serverStateBytes(startServer({ kind: 'fedadam', ...ADAPTIVE }, Float32Array.of(1, 2)));
  const refused = (bytes: Uint8Array): void => {
    try {
      parseServerState(bytes);
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'bad-encoding');
    }
  };
  for (let length = 0; length < good.length; length += 1)
    assert.throws(() => parseServerState(good.subarray(0, length)), { code: 'bad-encoding' });
  assert.throws(() => parseServerState(Uint8Array.of(...good, 0)), { code: 'bad-encoding' });
  const flip = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 4 }), (flips) => {
      const bytes = Uint8Array.from(good);
      for (const [at, value] of flips) bytes[at] = value;
      refused(bytes);
    }),
    { numRuns: 50_000, seed: 20 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), refused), { numRuns: 50_000, seed: 21 });
});
