import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ISOLATIONS, SENSITIVITIES, TIERS, type Sensitivity } from '../fields.ts';
import { placementPart, resources } from '../statements/placement.ts';
import { LABEL_DEFAULTS } from './label-defaults.ts';
import { parseJobFile } from './parse.ts';
import { JobFileError } from './problem.ts';
import { resolveJob, type ResolvedJob } from './resolve.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

function resolved(added: string, sensitivity: Sensitivity, residency: string[] = []): ResolvedJob {
  return resolveJob(parseJobFile(`name: a\nrun: b\n${added}\n`), { sensitivity, residency });
}

function refusedPaths(added: string, sensitivity: Sensitivity, residency: string[] = []): string[] {
  try {
    resolved(added, sensitivity, residency);
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    assert.ok(error.problems.every(({ code }) => code === 'looser-than-label'));
    return error.problems.map(({ path }) => path);
  }
  return [];
}

describe('defaults', () => {
  test('of an internal job are those of the table', () => {
    const { privacy, ...job } = resolved('', 'internal');
    assert.deepEqual(privacy, {
      sensitivity: 'internal',
      tiers: ['private', 'secure-cloud'],
      residency: [],
      isolation: { byTier: { private: 'sandbox', 'secure-cloud': 'sandbox' }, processOnOwnSite: true },
      evidence: { require: [], grade: 'documented', issuer: 'any', maxAgeDays: 365 },
      teeOrAcceptedPlaintext: false,
      tees: [],
      gpuTee: false,
      egress: [],
      logs: 'sealed',
      burst: 'allowed',
    });
    assert.deepEqual(
      [job.onPartition, job.spot, job.maxAttempts, job.maxReplicas, job.maxDurationMs, job.resources.hardLimits],
      ['stop', 'never', 1, 1, 86_400_000, false],
    );
    assert.deepEqual(job.limits, { cpuMilli: undefined, memoryBytes: undefined, diskBytes: undefined });
  });

  test('of each label', () => {
    const summary = SENSITIVITIES.map((sensitivity) => {
      const { tiers, isolation, evidence, egress, logs, burst, teeOrAcceptedPlaintext } = resolved(
        '',
        sensitivity,
      ).privacy;
      return [tiers.length, isolation, evidence?.grade, evidence?.issuer, egress, logs, burst, teeOrAcceptedPlaintext];
    });
    const cloud = (least: string): object => ({ private: least, 'secure-cloud': least });
    assert.deepEqual(summary, [
      [
        3,
        { byTier: { ...cloud('sandbox'), 'community-cloud': 'gvisor' }, processOnOwnSite: true },
        undefined,
        undefined,
        [],
        'sealed',
        'allowed',
        false,
      ],
      [2, { byTier: cloud('sandbox'), processOnOwnSite: true }, 'documented', 'any', [], 'sealed', 'allowed', false],
      [2, { byTier: cloud('container'), processOnOwnSite: false }, 'third-party', 'any', [], 'sealed', 'allowed', true],
      [
        1,
        { byTier: { private: 'sandbox' }, processOnOwnSite: false },
        'documented',
        'own-officer',
        [],
        'local',
        'never',
        false,
      ],
    ]);
  });

  test('of a service: it keeps going, for a year, with one replica', () => {
    const job = resolved('type: serve\nservice: {port: 8000}', 'internal');
    assert.deepEqual([job.onPartition, job.maxReplicas, job.maxDurationMs], ['keep', 1, 365 * 86_400_000]);
    assert.equal(resolved('type: serve\nservice: {port: 8000}\non_partition: stop', 'internal').onPartition, 'stop');
  });

  test('spot is taken only by a job that survives an interruption', () => {
    assert.equal(resolved('retry: {on: [interruption]}', 'public').spot, 'auto');
    assert.equal(resolved('retry: {on: [error]}', 'public').spot, 'never');
    assert.equal(resolved('retry: {on: [error], max: 5}', 'public').maxAttempts, 6);
  });

  test('a closed memory size is a limit, an open one is not', () => {
    const closed = resolved('resources: {cpus: 0.5, memory: 8GB..16GB, gpu: 80GB+:2}', 'public');
    assert.deepEqual(closed.limits, { cpuMilli: 500, memoryBytes: 16e9, diskBytes: undefined });
    assert.deepEqual(closed.resources, {
      cpuMilli: 500,
      memoryBytes: 8e9,
      diskBytes: 1e9,
      gpus: { model: undefined, memoryBytes: 80e9, count: 2 },
      hardLimits: true,
    });
    assert.equal(resolved('resources: {memory: 8GB+}', 'public').resources.hardLimits, false);
  });

  test('fit the placement part that the control plane reads', () => {
    const job = resolved('resources: {gpu: H100:80GB:1, max_price: 12.5 USD}\npriority: 7', 'confidential', ['EU']);
    assert.ok(resources.safeParse(job.resources).success);
    const { privacy, type, onPartition, spot, maxPrice, priority, maxDurationMs } = job;
    const part = {
      v: 1,
      type,
      resources: job.resources,
      tiers: privacy.tiers,
      residency: privacy.residency,
      isolation: 'container',
      tees: privacy.tees,
      egress: 'none',
      burst: privacy.burst,
      evidence: { require: privacy.evidence?.require, grade: privacy.evidence?.grade, maxAgeDays: 365 },
      onPartition,
      spot,
      maxPrice,
      priority,
      maxDurationMs,
    };
    assert.equal(placementPart.safeParse(part).error, undefined);
  });
});

describe('a job may tighten', () => {
  test('sensitivity, and with it all else', () => {
    const { privacy } = resolved('privacy: {sensitivity: restricted}', 'internal');
    assert.deepEqual([privacy.sensitivity, privacy.tiers, privacy.logs], ['restricted', ['private'], 'local']);
  });
  test('isolation: sandbox rules process out, a TEE rules all else out', () => {
    const sandbox = resolved('privacy: {isolation: sandbox}', 'public').privacy.isolation;
    assert.deepEqual(sandbox.byTier, { private: 'sandbox', 'secure-cloud': 'sandbox', 'community-cloud': 'gvisor' });
    assert.equal(sandbox.processOnOwnSite, false);
    assert.equal(resolved('privacy: {isolation: process}', 'internal').privacy.isolation.processOnOwnSite, true);
    const { isolation, tees, gpuTee } = resolved('privacy: {tee: {require: [tdx], gpu: true}}', 'public').privacy;
    assert.deepEqual(
      [isolation.byTier.private, isolation.processOnOwnSite, tees, gpuTee],
      ['tee', false, ['tdx'], true],
    );
  });
  test('tiers, and a job that stays private never bursts', () => {
    const { tiers, burst } = resolved('privacy: {place: {tiers: [private]}}', 'public').privacy;
    assert.deepEqual([tiers, burst], [['private'], 'never']);
  });
  test('residency to a country of the union that its data may stay in', () => {
    assert.deepEqual(resolved('privacy: {place: {residency: [DE]}}', 'internal', ['EU']).privacy.residency, ['DE']);
    assert.deepEqual(resolved('privacy: {place: {residency: [EU]}}', 'internal', ['EEA']).privacy.residency, ['EU']);
    assert.deepEqual(resolved('', 'internal', ['EU', 'CH']).privacy.residency, ['EU', 'CH']);
  });
  test('evidence where its label asks for none', () => {
    const { evidence } = resolved('privacy: {place: {require: [soc2]}}', 'public').privacy;
    assert.deepEqual(evidence, { require: ['soc2'], grade: 'documented', issuer: 'any', maxAgeDays: 365 });
  });
});

describe('a job may not loosen', () => {
  test('any line of its label, and hears of all of them at once', () => {
    const added = `privacy:
  sensitivity: public
  isolation: process
  burst: allowed
  egress: ["a.example:443"]
  logs: sealed
  place: {tiers: [community-cloud, private], residency: [US], evidence_grade: self-declared}`;
    assert.deepEqual(refusedPaths(added, 'restricted', ['EU']), [
      'privacy.sensitivity',
      'privacy.place.tiers[0]',
      'privacy.isolation',
      'privacy.place.evidence_grade',
      'privacy.egress',
      'privacy.logs',
      'privacy.burst',
      'privacy.place.residency[0]',
    ]);
  });
  test('residency to a union that is larger than what its data allows', () => {
    for (const wish of ['EEA', 'NO', 'US']) {
      const found = refusedPaths(`privacy: {place: {residency: [DE, ${wish}]}}`, 'internal', ['EU']);
      assert.deepEqual(found, ['privacy.place.residency[1]'], wish);
    }
  });

  test('whatever it wishes, what comes out is never below its label (property)', () => {
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
        const job = tryResolve(JSON.stringify({ name: 'a', run: 'b', privacy }), label);
        if (job === undefined) return;
        kept += 1;
        const rules = LABEL_DEFAULTS[label];
        assert.ok(SENSITIVITIES.indexOf(job.privacy.sensitivity) >= SENSITIVITIES.indexOf(label));
        for (const tier of job.privacy.tiers) {
          const least = rules.isolation[tier];
          const got = job.privacy.isolation.byTier[tier];
          assert.ok(least !== undefined && got !== undefined);
          assert.ok(ISOLATIONS.indexOf(got) >= ISOLATIONS.indexOf(least));
        }
        assert.ok(rules.processOnOwnSite || !job.privacy.isolation.processOnOwnSite);
        assert.ok(rules.egress === 'declared' || job.privacy.egress.length === 0);
        assert.ok(rules.logs === 'sealed' || job.privacy.logs === 'local');
        assert.ok(rules.burst === 'allowed' || job.privacy.burst === 'never');
      }),
      { numRuns: 2000, seed: 7 },
    );
    assert.ok(kept > 50);
  });
});

function tryResolve(text: string, sensitivity: Sensitivity): ResolvedJob | undefined {
  try {
    return resolveJob(parseJobFile(text), { sensitivity, residency: [] });
  } catch (error) {
    assert.ok(error instanceof JobFileError);
    return undefined;
  }
}

test('an image or a version of Python is carried on', () => {
  assert.equal(resolved(`image: acme/a@${DIGEST}`, 'public').root.kind, 'image');
  assert.equal(resolved('python: 3.12', 'public').root.kind, 'python');
});
