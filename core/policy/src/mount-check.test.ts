import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { strictestLabel, type DatasetLabel } from './label.ts';
import { checkMount } from './mount-check.ts';
import { residencyCovers, residencyOf } from './residency.ts';

const here = { purpose: 'care', jurisdictions: ['DE'], atItsSite: true };
const data = (edit: Partial<DatasetLabel> = {}): DatasetLabel => ({
  sensitivity: 'restricted',
  residency: ['EU'],
  purposes: ['care'],
  ...edit,
});

test('a mount is for the purposes and places of its data', () => {
  const reasons = (...of: Parameters<typeof checkMount>) => {
    const decision = checkMount(...of);
    return decision.allow ? [] : decision.reasons;
  };
  assert.deepEqual(reasons(data(), here), []);
  assert.deepEqual(reasons(data(), { ...here, purpose: undefined }), ['purpose-missing']);
  assert.deepEqual(reasons(data(), { ...here, purpose: 'marketing' }), ['purpose-not-allowed']);
  assert.deepEqual(reasons(data({ noPurpose: true }), here), ['purpose-not-allowed']);
  assert.deepEqual(reasons(data(), { ...here, jurisdictions: ['US'] }), ['residency']);
  assert.deepEqual(reasons(data(), { ...here, jurisdictions: ['DE', 'US'] }), ['residency'], 'under two laws');
  assert.deepEqual(reasons(data(), { ...here, jurisdictions: [] }), ['residency'], 'nowhere in particular');
  assert.deepEqual(
    reasons(data({ residency: [], purposes: [] }), { purpose: undefined, jurisdictions: [], atItsSite: false }),
    ['other-site'],
  );
});

test('each mount is allowed wherever the label of all of them together is', () => {
  const some = (...words: string[]) => fc.subarray(words);
  const label = fc.record({ residency: some('DE', 'FR', 'US'), purposes: some('care', 'research') }).map(data);
  fc.assert(
    fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), some('DE', 'FR', 'US'), (all, jurisdictions) => {
      const together = strictestLabel({ purpose: 'care' }, all);
      const fits = together.allow && residencyCovers(residencyOf(together.label.residency), jurisdictions);
      const each = all.map((one) => checkMount(one, { ...here, jurisdictions }).allow);
      assert.ok(!fits || each.every(Boolean));
    }),
    { numRuns: 500, seed: 20_271_123 },
  );
});
