import assert from 'node:assert/strict';
import { it } from 'node:test';
import { epsilonOf } from '@ringfence/dp/accountant';
import { noiseAgainst, planEncoding } from './index.ts';

const rounds = 20;
const delta = 1e-5;

it('what distributed noise costs is what Gaussian noise of the same multiplier does, within a percent', () => {
  for (const clipOf of ['update', 'unit'] as const)
    for (const dimension of [62, 10_000, 1_000_000])
      for (const multiplier of [1, 8]) {
        const terms = { dimension, clients: 10, clipOf, clip: 0.5, noise: { multiplier, honestMin: 8 } };
        const encoding = planEncoding(terms);
        const { outsiders } = noiseAgainst(encoding, { rounds });
        assert.ok(outsiders !== undefined);
        assert.equal(outsiders.slip, clipOf === 'unit' ? 2 ** -80 : undefined);
        const gaussian = epsilonOf([{ type: 'gaussian', sigma: multiplier, steps: rounds }], delta).rdp ?? NaN;
        const distributed = epsilonOf([outsiders], delta).rdp ?? NaN;
        assert.ok(distributed < 1.01 * gaussian && distributed > 0.99 * gaussian, `${distributed} for ${gaussian}`);
      }
});

it('the fewer who add their part, the more it costs: outsiders, then a member, then all others', () => {
  const encoding = planEncoding({
    dimension: 1_000,
    clients: 5,
    clipOf: 'update',
    clip: 1,
    noise: { multiplier: 3, honestMin: 4 },
  });
  const { outsiders, member, others } = noiseAgainst(encoding, { rounds });
  const [far, near, nearest] = [outsiders, member, others].map((event) =>
    event === undefined ? Infinity : (epsilonOf([event], delta).rdp ?? Infinity),
  ) as [number, number, number];
  assert.ok(far < near && near < nearest && Number.isFinite(nearest), `${far} ${near} ${nearest}`);
});
