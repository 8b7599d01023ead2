import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deltaOf, epsilonOf } from './epsilon-of.ts';
import type { PrivacyEvent, SampledGaussianEvent } from './privacy-event.ts';

/** What two grids may differ by, relatively to 1 + epsilon. */
const GRID = 2e-3;
const cases = { numRuns: 60, seed: 20_261_122 };
const between = (least: number, most: number): fc.Arbitrary<number> =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);

const sampled = fc.record({
  type: fc.constant('sampled-gaussian' as const),
  q: between(0.005, 0.9),
  sigma: between(0.6, 6),
  steps: fc.integer({ min: 1, max: 200 }),
});
const shift = fc.integer({ min: 1, max: 3 });
const onWholes = { dimension: fc.constant(1), steps: fc.integer({ min: 1, max: 30 }) };
const other: fc.Arbitrary<PrivacyEvent> = fc.oneof(
  fc.record({
    type: fc.constant('gaussian' as const),
    sigma: between(0.8, 20),
    steps: fc.integer({ min: 1, max: 9 }),
  }),
  fc.record({ type: fc.constant('laplace' as const), scale: between(1, 20), steps: fc.integer({ min: 1, max: 30 }) }),
  fc.record({ type: fc.constant('pure' as const), epsilon: between(0.01, 1), steps: fc.integer({ min: 1, max: 30 }) }),
  fc
    .tuple(shift, fc.record({ type: fc.constant('skellam' as const), mu: between(4, 400), ...onWholes }))
    .map(([l1, event]) => ({ ...event, l1, l2: l1 })),
  fc
    .tuple(shift, fc.record({ type: fc.constant('discrete-gaussian' as const), sigma2: between(2, 200), ...onWholes }))
    .map(([l1, event]) => ({ ...event, parties: 1, l1, l2: l1 })),
);
const delta = between(1e-9, 1e-3);

/** `better` never costs more than `worse`: not at all for the Rényi bound, and the bounds that must not cross do not. */
function assertNoMore(
  better: readonly PrivacyEvent[],
  worse: readonly PrivacyEvent[],
  deltas: readonly [number, number],
): void {
  const [less, more] = [epsilonOf(better, deltas[0]), epsilonOf(worse, deltas[1])];
  assert.ok(less.rdp <= more.rdp * (1 + 1e-9), `rdp: ${less.rdp} > ${more.rdp}`);
  const [lessUpper = NaN, moreUpper = NaN] = [less.pldUpper, more.pldUpper];
  assert.ok(lessUpper <= moreUpper + GRID * (1 + moreUpper), `pldUpper: ${lessUpper} > ${moreUpper}`);
  assert.ok((less.pldLower ?? NaN) <= moreUpper + 1e-9, `${less.pldLower} is no lower bound of ${moreUpper}`);
}

test('a smaller sample, more noise, fewer steps and a larger delta never cost more', () => {
  const factor = fc.double({ min: 1.05, max: 2, noNaN: true });
  fc.assert(
    fc.property(sampled, factor, delta, (event, by, at) => {
      const of = (change: Partial<SampledGaussianEvent>): PrivacyEvent[] => [{ ...event, ...change }];
      assertNoMore(of({ q: event.q / by }), [event], [at, at]);
      assertNoMore(of({ sigma: event.sigma * by }), [event], [at, at]);
      assertNoMore([event], of({ steps: event.steps * 2 }), [at, at]);
      assertNoMore([event], [event], [at * by, at]);
    }),
    { ...cases, numRuns: 25 },
  );
});

test('bounds are in order for any mixture, and no part costs more than the whole', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(sampled, other), { minLength: 1, maxLength: 3 }), delta, (events, at) => {
      const { rdp, pldUpper = NaN, pldLower = NaN, least } = epsilonOf(events, at);
      assert.ok(pldLower <= pldUpper && pldLower <= rdp * (1 + 1e-9), `${pldLower} is above ${pldUpper} or ${rdp}`);
      assert.ok(pldUpper <= rdp + GRID * (1 + rdp), `${pldUpper} is above ${rdp}`);
      assert.ok(least === Math.min(rdp, pldUpper) && least >= 0);
      for (const event of events)
        assert.ok((epsilonOf([event], at).pldLower ?? NaN) <= pldUpper + 1e-9, `${event.type} alone costs more`);
    }),
    cases,
  );
});

test('a composition in parts is the whole, also where the parts are not told to be alike', () => {
  fc.assert(
    fc.property(sampled, fc.integer({ min: 1, max: 200 }), delta, (event, steps, at) => {
      const whole = epsilonOf([{ ...event, steps: event.steps + steps }], at);
      const halves = epsilonOf([event, { ...event, steps }], at);
      assert.deepEqual([halves.pldUpper, halves.pldLower], [whole.pldUpper, whole.pldLower]);
      assert.ok(Math.abs(halves.rdp - whole.rdp) <= 1e-9 * (1 + whole.rdp));
      // As two events with a transform each: other rounding, the same grid or nearly.
      const apart = epsilonOf([event, { ...event, sigma: event.sigma * (1 + 1e-13), steps }], at);
      const [one = NaN, other = NaN] = [whole.pldUpper, apart.pldUpper];
      assert.ok(Math.abs(one - other) <= GRID * (1 + one), `${one} is not ${other}`);
      assert.ok((apart.pldLower ?? NaN) <= one && (whole.pldLower ?? NaN) <= other);
    }),
    { ...cases, numRuns: 25 },
  );
});

test('delta at an epsilon leads back to it', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(sampled, other), { minLength: 1, maxLength: 2 }), delta, (events, at) => {
      const there = epsilonOf(events, at);
      if (there.least === 0) return;
      const back = deltaOf(events, there.pldUpper ?? NaN);
      assert.ok(Math.abs((back.pldUpper ?? NaN) / at - 1) < 1e-2, `${back.pldUpper} is not ${at}`);
      assert.ok(deltaOf(events, there.rdp).rdp <= at * (1 + 1e-9));
    }),
    cases,
  );
});
