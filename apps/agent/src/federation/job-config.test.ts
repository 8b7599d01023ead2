import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkContract } from '@ringfence/keyring';
import { SampleContract } from '@ringfence/keyring/samples';
import { decimalOf, type PrivacyTerms } from '@ringfence/protocol/federation';
import { jobConfig } from './job-config.ts';
import { termsOf } from './round/federation-terms.ts';

const NOISE = { multiplier: decimalOf(2), honestMin: 3, sampleRate: decimalOf(0.5) };
const PRIVACY = {
  grade: 'enforced',
  clip: decimalOf(1),
  budget: { epsilon: decimalOf(3), delta: decimalOf(1e-5) },
} as const;

function configOf(privacy: PrivacyTerms): { data: { person?: object }; train: object; noised?: boolean } {
  const sample = new SampleContract('job config', { terms: { privacy } });
  const { keyring, now } = sample.host.organisation;
  const held = checkContract(sample.file(), { keyring, now });
  assert.ok(held.allow, JSON.stringify(held));
  return jobConfig(termsOf(held)) as ReturnType<typeof configOf>;
}

test('a job is told whose rows belong together where noise hides persons, and nowhere else', () => {
  const person = { kind: 'person', column: 'texture', mostRows: 3 } as const;
  const gradients = { method: 'gradients', sample: 0.5, clip: 1 };
  const hidden = configOf({ ...PRIVACY, unit: person, noise: NOISE });
  assert.deepEqual(hidden.data.person, { column: 'texture', mostRows: 3 });
  assert.deepEqual(hidden.train, gradients);
  const record = configOf({ ...PRIVACY, unit: { kind: 'record' }, noise: NOISE });
  assert.deepEqual([record.data.person, record.train], [undefined, gradients]);
  const plain = configOf({ ...PRIVACY, unit: person, noise: null, budget: null, grade: 'declared' });
  assert.equal(plain.data.person, undefined);
  const whole = configOf({ ...PRIVACY, unit: { kind: 'organisation' }, noise: { ...NOISE, sampleRate: decimalOf(1) } });
  assert.deepEqual(
    [hidden, record, whole, plain].map(({ noised }) => noised),
    [true, true, true, undefined],
  );
});
