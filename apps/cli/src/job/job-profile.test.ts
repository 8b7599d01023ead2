import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, newId, systemRng as rng } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { JobFileError, parseJobFile } from '@ringfence/protocol/job-file';
import type { LabelStatement, ProfileRequirements } from '@ringfence/protocol/statements';
import { constraintsOf, wishOf } from './prepared-job.ts';
import { underProfile } from './job-profile.ts';

const label: LabelStatement = {
  v: 1,
  org: newId('org', rng),
  job: newId('job', rng),
  custodian: newId('custodian', rng),
  sensitivity: 'internal',
  residency: ['EU'],
  profile: sha256Hex(new Uint8Array()),
  at: epochMs(0),
  notAfter: epochMs(1),
};

function strictest(added: string, requirements: ProfileRequirements) {
  const file = parseJobFile(`name: a\nrun: b\n${added}\n`);
  const { job, wish } = underProfile(file, wishOf(file), { label, requirements });
  return { job, constraints: constraintsOf(file, label, wish) };
}

test('a job that names a profile is planned by the strictest of the two and its label', () => {
  const { job, constraints } = strictest('max_duration: 8h\nprivacy: {place: {residency: [DE]}, isolation: microvm}', {
    tiers: ['private'],
    isolation: 'container',
    logs: 'local',
    spot: 'never',
    maxDurationMs: 3_600_000,
    budget: { microUnits: 1e6, currency: 'EUR' },
    residencyDeny: ['HU'],
  });
  assert.deepEqual(
    [constraints.tiers, constraints.isolation, constraints.residency, constraints.logs],
    [['private'], 'microvm', ['DE'], 'local'],
  );
  assert.deepEqual([job.maxDurationMs, job.budget?.microUnits], [3_600_000, 1e6]);
  assert.deepEqual(job.privacy.residencyDeny, ['HU']);
  // An image asks for a container, whatever the profile leaves open.
  const image = strictest(`image: acme/a@sha256:${'0'.repeat(64)}`, { isolation: 'sandbox' });
  assert.equal(image.constraints.isolation, 'container');
});

test('a job that its profile leaves no room is refused at the field, with what the profile allows', () => {
  assert.throws(
    () =>
      strictest('privacy: {egress: ["a.example:443"]}\nbudget: 1 USD', {
        egress: [],
        budget: { microUnits: 1, currency: 'EUR' },
      }),
    (error) => {
      assert.ok(error instanceof JobFileError);
      assert.deepEqual(
        error.problems.map(({ path, code }) => [path, code]),
        [
          ['budget', 'looser-than-profile'],
          ['privacy.egress', 'looser-than-profile'],
        ],
      );
      return true;
    },
  );
});
