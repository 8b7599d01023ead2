import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ISOLATIONS, SENSITIVITIES, TIERS, type Sensitivity } from '../fields.ts';
import { LABEL_RULES } from '../label-rules.ts';
import { resources } from '../statements/placement.ts';
import { parseJobFile } from './parse.ts';
import { JobFileError } from './problem.ts';
import { requireLabel, resolveJob, type ResolvedJob } from './resolve.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

function resolved(added: string): ResolvedJob {
  return resolveJob(parseJobFile(`name: a\nrun: b\n${added}\n`));
}

function refusedPaths(added: string, sensitivity: Sensitivity): string[] {
  try {
    requireLabel(parseJobFile(`name: a\nrun: b\n${added}\n`), sensitivity);
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    assert.ok(error.problems.every(({ code }) => code === 'looser-than-label'));
    return error.problems.map(({ path }) => path);
  }
  return [];
}

describe('defaults', () => {
  test('of a job that trains', () => {
    const job = resolved('');
    assert.deepEqual(
      [job.onPartition, job.spot, job.maxAttempts, job.maxReplicas, job.maxDurationMs, job.resources.hardLimits],
      ['stop', 'never', 1, 1, 86_400_000, false],
    );
    assert.deepEqual(job.limits, { cpuMilli: undefined, memoryBytes: undefined, diskBytes: undefined });
  });

  test('of a service: it keeps going, for a year, with one replica', () => {
    const job = resolved('type: serve\nservice: {port: 8000}');
    assert.deepEqual([job.onPartition, job.maxReplicas, job.maxDurationMs], ['keep', 1, 365 * 86_400_000]);
    assert.equal(resolved('type: serve\nservice: {port: 8000}\non_partition: stop').onPartition, 'stop');
  });

  test('spot is taken only by a job that survives an interruption', () => {
    assert.equal(resolved('retry: {on: [interruption]}').spot, 'auto');
    assert.equal(resolved('retry: {on: [error]}').spot, 'never');
    assert.equal(resolved('retry: {on: [error], max: 5}').maxAttempts, 6);
  });

  test('a closed memory size is a limit, an open one is not', () => {
    const closed = resolved('resources: {cpus: 0.5, memory: 8GB..16GB, gpu: 80GB+:2}');
    assert.deepEqual(closed.limits, { cpuMilli: 500, memoryBytes: 16e9, diskBytes: undefined });
    assert.deepEqual(closed.resources, {
      cpuMilli: 500,
      memoryBytes: 8e9,
      diskBytes: 1e9,
      gpus: { model: undefined, memoryBytes: 80e9, count: 2 },
      hardLimits: true,
    });
    assert.equal(resolved('resources: {memory: 8GB+}').resources.hardLimits, false);
  });

  test('fit the placement part that the control plane reads', () => {
    const job = resolved('resources: {gpu: H100:80GB:1, max_price: 12.5 USD}');
    assert.ok(resources.safeParse(job.resources).success);
  });

  test('leave an image or a version of Python as it is', () => {
    assert.equal(resolved(`image: acme/a@${DIGEST}`).root.kind, 'image');
    assert.equal(resolved('python: 3.12').root.kind, 'python');
  });
});

describe('a job may not loosen', () => {
  test('any line of its label, and hears of all of them at once', () => {
    const added = (isolation: string): string => `privacy:
  sensitivity: public
  isolation: ${isolation}
  burst: allowed
  egress: ["a.example:443"]
  logs: sealed
  place: {tiers: [community-cloud, private], evidence_grade: self-declared}`;
    assert.deepEqual(refusedPaths(added('process'), 'restricted'), [
      'privacy.sensitivity',
      'privacy.place.tiers[0]',
      'privacy.isolation',
      'privacy.egress',
      'privacy.logs',
      'privacy.burst',
    ]);
    assert.deepEqual(refusedPaths(added('sandbox'), 'confidential'), [
      'privacy.sensitivity',
      'privacy.place.tiers[0]',
      'privacy.isolation',
      'privacy.place.evidence_grade',
      'privacy.egress',
    ]);
  });

  test('evidence about other people’s sites, where it would go there', () => {
    const wish = (place: string): string => `privacy: {place: {evidence_grade: self-declared${place}}}`;
    assert.deepEqual(refusedPaths(wish(''), 'internal'), ['privacy.place.evidence_grade']);
    assert.deepEqual(refusedPaths(wish(', tiers: [private]'), 'internal'), []);
  });

  test('whatever it wishes, what passes is never below its label (property)', () => {
    const optional = <T>(values: readonly T[]): fc.Arbitrary<T | undefined> => fc.constantFrom(undefined, ...values);
    const wish = fc.record({
      sensitivity: optional(SENSITIVITIES),
      isolation: optional(ISOLATIONS),
      logs: optional(['local', 'sealed']),
      burst: optional(['allowed', 'never']),
      egress: optional([[], ['a.example:443']]),
      place: fc.record({ tiers: fc.subarray([...TIERS], { minLength: 1 }) }),
    });
    let kept = 0;
    fc.assert(
      fc.property(wish, fc.constantFrom(...SENSITIVITIES), (privacy, label) => {
        const passed = tryLabel(JSON.stringify({ name: 'a', run: 'b', privacy }), label);
        if (passed === undefined) return;
        kept += 1;
        const rule = LABEL_RULES[label];
        const least = rule.processAtHome ? 'process' : rule.isolation;
        assert.ok(SENSITIVITIES.indexOf(passed.sensitivity ?? label) >= SENSITIVITIES.indexOf(label));
        assert.ok(passed.tiers?.every((tier) => rule.tiers.includes(tier)));
        assert.ok(ISOLATIONS.indexOf(passed.isolation ?? least) >= ISOLATIONS.indexOf(least));
        assert.ok(rule.egress === 'declared' || (passed.egress ?? []).length === 0);
        assert.ok(rule.logs === 'sealed' || passed.logs !== 'sealed');
        assert.ok(rule.burst === 'allowed' || passed.burst !== 'allowed');
      }),
      { numRuns: 2000, seed: 7 },
    );
    assert.ok(kept > 50);
  });
});

function tryLabel(text: string, sensitivity: Sensitivity): ResolvedJob['privacy'] | undefined {
  try {
    const file = parseJobFile(text);
    requireLabel(file, sensitivity);
    return file.privacy;
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    return undefined;
  }
}
