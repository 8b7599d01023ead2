import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { deltaOf, epsilonOf } from './epsilon-of.ts';
import { deltaOfLosses } from './loss-distribution.ts';
import { lossSourceOf, type Relation } from './loss-source.ts';
import { normalCdf } from './normal.ts';
import type { PrivacyEvent } from './privacy-event.ts';

const between = (least: number, most: number): fc.Arbitrary<number> =>
  fc.double({ min: Math.log(least), max: Math.log(most), noNaN: true }).map(Math.exp);

/** One step of sampled Gaussian noise by its definition: P(x > t) − e^ε·Q(x > t), t where the loss is ε; both relations. */
function deltaOfOneStep(q: number, sigma: number, epsilon: number): Readonly<Record<Relation, number>> {
  const above = (t: number): number => normalCdf(-t / sigma);
  const present = (t: number): number => (1 - q) * above(t) + q * above(t - 1);
  const outcome = (loss: number): number => {
    const ratio = 1 + Math.expm1(loss) / q;
    return ratio <= 0 ? -Infinity : 0.5 + sigma * sigma * Math.log(ratio);
  };
  const [t, u] = [outcome(epsilon), outcome(-epsilon)];
  return {
    remove: Math.max(0, present(t) - Math.exp(epsilon) * above(t)),
    add: Math.max(0, 1 - above(u) - Math.exp(epsilon) * (1 - present(u))),
  };
}

test('one step lies between its bounds, which its definition gives, whether the record comes or goes', () => {
  fc.assert(
    fc.property(
      between(0.001, 0.99),
      between(0.3, 5),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (q, sigma, epsilon) => {
        const event = { type: 'sampled-gaussian', q, sigma, steps: 1 } as const;
        const wanted = deltaOfOneStep(q, sigma, epsilon);
        const { pldUpper = NaN, pldLower = NaN } = deltaOf([event], epsilon);
        const worse = Math.max(wanted.remove, wanted.add);
        assert.ok(pldUpper - pldLower <= 0.1 * worse + 2e-3);
        const source = lossSourceOf(event, 1e-20) ?? assert.fail();
        const [above, below] = [source.above(1e-3), source.below(1e-3)];
        for (const [upper, exact, lower] of [
          [pldUpper, worse, pldLower],
          ...(['remove', 'add'] as const).map((relation): [number, number, number] => [
            deltaOfLosses(above[relation], epsilon),
            wanted[relation],
            deltaOfLosses(below[relation], epsilon + 1e-3 * source.slack),
          ]),
        ] as const)
          assert.ok(lower <= exact + 1e-13 && exact <= upper + 1e-13, `${lower} ≤ ${exact} ≤ ${upper}`);
        assert.ok(deltaOfLosses(above.add, epsilon) - deltaOfLosses(below.add, epsilon) <= 0.05 * wanted.add + 1e-3);
      },
    ),
    { numRuns: 60, seed: 20_261_122 },
  );
});

test('compositions that dp_accounting’s own tests know', () => {
  const near = (got: number | undefined, wanted: number, within: number): void =>
    assert.ok(got !== undefined && Math.abs(got - wanted) <= within, `${got} is not within ${within} of ${wanted}`);
  const subsampled = (steps: number): PrivacyEvent => ({ type: 'sampled-gaussian', q: 0.2, sigma: 0.5, steps });
  near(deltaOf([subsampled(1), subsampled(2)], 1).pldUpper, 0.15594, 1e-5);
  near(epsilonOf([subsampled(3)], 0.15594).pldUpper, 1, 1e-3);
  near(deltaOf([{ type: 'gaussian', sigma: Math.sqrt(3), steps: 3 }], 1).pldUpper, 0.126936, 1e-6);
  const laplace: PrivacyEvent[] = [
    { type: 'laplace', scale: 1, steps: 3 },
    { type: 'laplace', scale: 2, steps: 2 },
  ];
  near(epsilonOf(laplace, 1e-10).pldUpper, 4, 1e-4);
});
