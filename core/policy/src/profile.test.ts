import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EVIDENCE_GRADES, ISOLATIONS, LABEL_RULES, SENSITIVITIES, TIERS } from '@ringfence/protocol';
import type { PlacementPart, ProfileRequirements } from '@ringfence/protocol/statements';
import { SAMPLE_PLACEMENT } from '@ringfence/protocol/samples';
import fc from 'fast-check';
import { constraintsFor } from './constraints.ts';
import { strictestLabel } from './label.ts';
import { loosenings, type PlacementLabel } from './placement-limits.ts';
import { checkProfile, type JudgedJob, type ProfileField } from './profile-check.ts';
import { withProfile, type ProfiledJob } from './profile.ts';
import { stricterSensitivity } from './strictness.ts';

const EUR = (units: number) => ({ microUnits: units * 1e6, currency: 'EUR' });
const HOUR = 3_600_000;
const job: ProfiledJob = { wish: {}, spot: 'auto', maxDurationMs: 24 * HOUR, egress: [] };

/** The placement part that a client makes of a job under a label, and the rest that a profile is held against. */
function judged(of: ProfiledJob, label: PlacementLabel): JudgedJob | undefined {
  const decision = constraintsFor(label, { ...of.wish, egress: of.egress.length === 0 ? 'none' : 'declared' });
  if (!decision.allow) return undefined;
  const { logs, ...placed } = decision.constraints;
  const { residencyDeny, customerKey, spot, maxPrice, budget, maxDurationMs } = of;
  const placement: PlacementPart = {
    ...SAMPLE_PLACEMENT,
    ...placed,
    ...(residencyDeny === undefined ? {} : { residencyDeny: [...residencyDeny] }),
    ...(customerKey === true ? { customerKey } : {}),
    spot,
    ...(maxPrice === undefined ? {} : { maxPrice }),
    ...(budget === undefined ? {} : { budget: { ...budget, attempts: 1 } }),
    maxDurationMs,
  };
  const workload = { logs, ...(of.egress.length === 0 ? {} : { egress: [...of.egress] as never }) };
  return { placement, label, workload };
}

const STRICT: Required<ProfileRequirements> = {
  sensitivity: 'confidential',
  tiers: ['private', 'secure-cloud'],
  residency: ['EU'],
  residencyDeny: ['HU'],
  isolation: 'gvisor',
  evidence: { require: ['iso27001'], grade: 'third-party', maxAgeDays: 90 },
  burst: 'never',
  customerKey: true,
  egress: [],
  logs: 'local',
  spot: 'never',
  maxPrice: EUR(10),
  budget: EUR(100),
  maxDurationMs: 6 * HOUR,
};

const strictLabel: PlacementLabel = { sensitivity: 'confidential', residency: ['EU'] };

function strict(): JudgedJob {
  const decision = withProfile(job, STRICT, strictLabel);
  assert.ok(decision.allow);
  return judged(decision.job, strictLabel) ?? assert.fail();
}

describe('a job with a profile', () => {
  test('that asks for nothing itself gets all of it', () => {
    const { placement, workload } = strict();
    assert.deepEqual(checkProfile(STRICT, strict()), { allow: true });
    assert.deepEqual(placement.tiers, ['private', 'secure-cloud']);
    assert.deepEqual(placement.evidence, { require: ['iso27001'], grade: 'third-party', maxAgeDays: 90 });
    assert.deepEqual(
      [placement.isolation, placement.burst, placement.spot, placement.maxDurationMs, workload.logs],
      ['gvisor', 'never', 'never', 6 * HOUR, 'local'],
    );
  });

  test('is looser than it in exactly the field that is loosened, whichever it is', () => {
    const good = strict();
    const edits: readonly (readonly [ProfileField, Partial<JudgedJob>])[] = [
      ['sensitivity', { label: { ...strictLabel, sensitivity: 'internal' } }],
      ['tiers', { placement: { ...good.placement, tiers: [...TIERS] } }],
      ['residency', { placement: { ...good.placement, residency: ['EEA'] } }],
      ['residency', { placement: { ...good.placement, residency: [] } }],
      ['residencyDeny', { placement: { ...good.placement, residencyDeny: ['US'] } }],
      ['isolation', { placement: { ...good.placement, isolation: 'container' } }],
      ['evidence', { placement: { ...good.placement, evidence: { require: [], grade: 'measured', maxAgeDays: 1 } } }],
      ['evidence', edited(good, { grade: 'documented' })],
      ['evidence', edited(good, { maxAgeDays: 91 })],
      ['burst', { placement: { ...good.placement, burst: 'allowed' } }],
      ['egress', { workload: { ...good.workload, egress: ['a.example:443'] as never } }],
      ['logs', { workload: { ...good.workload, logs: 'sealed' } }],
      ['spot', { placement: { ...good.placement, spot: 'auto' } }],
      ['maxPrice', { placement: { ...good.placement, maxPrice: EUR(11) } }],
      ['maxPrice', { placement: { ...good.placement, maxPrice: { microUnits: 1, currency: 'USD' } } }],
      ['budget', { placement: { ...good.placement, budget: { ...EUR(101), attempts: 1 } } }],
      ['maxDurationMs', { placement: { ...good.placement, maxDurationMs: 6 * HOUR + 1 } }],
    ];
    for (const [field, change] of edits)
      assert.deepEqual(checkProfile(STRICT, { ...good, ...change }), { allow: false, reasons: [field] }, field);
    for (const field of ['evidence', 'customerKey', 'residencyDeny', 'maxPrice', 'budget'] as const) {
      const { [field]: _, ...placement } = good.placement;
      assert.deepEqual(checkProfile(STRICT, { ...good, placement }), { allow: false, reasons: [field] }, field);
    }
    const tried = new Set([...edits.map(([field]) => field), 'customerKey']);
    assert.deepEqual(
      Object.keys(STRICT).filter((field) => !tried.has(field as ProfileField)),
      [],
    );
  });

  test('keeps its own wish where that is stricter', () => {
    const wish = {
      tiers: ['private'] as const,
      isolation: 'microvm' as const,
      residency: ['DE'],
      logs: 'local' as const,
    };
    const own = { ...job, wish, maxPrice: EUR(1), budget: EUR(2), maxDurationMs: HOUR, residencyDeny: ['US'] };
    const decision = withProfile(own, STRICT, strictLabel);
    assert.ok(decision.allow);
    const { placement } = judged(decision.job, strictLabel) ?? assert.fail();
    assert.deepEqual(
      [placement.tiers, placement.isolation, placement.residency, placement.maxPrice, placement.maxDurationMs],
      [['private'], 'microvm', ['DE'], EUR(1), HOUR],
    );
    assert.deepEqual(placement.residencyDeny, ['US', 'HU']);
    assert.deepEqual(placement.budget, { ...EUR(2), attempts: 1 });
  });

  test('is refused where the two have nothing in common, with what the profile allows', () => {
    const fields = (change: Partial<ProfiledJob>, profile: ProfileRequirements) => {
      const decision = withProfile({ ...job, ...change }, profile, strictLabel);
      return decision.allow ? [] : decision.reasons.map(({ field, allowed }) => [field, ...allowed]);
    };
    assert.deepEqual(fields({ wish: { tiers: ['secure-cloud'] } }, { tiers: ['private'] }), [['tiers', 'private']]);
    assert.deepEqual(fields({ wish: { residency: ['FR'] } }, { residency: ['DE'] }), [['residency', 'DE']]);
    const letters = 'A B C D E F G H I'.split(' ');
    const deny = (first: string) => letters.map((second) => first + second);
    assert.deepEqual(fields({ residencyDeny: deny('A') }, { residencyDeny: deny('B') }), [
      ['residencyDeny', '16 places in all'],
    ]);
    assert.deepEqual(fields({ maxPrice: { microUnits: 1, currency: 'USD' } }, { maxPrice: EUR(1) }), [
      ['maxPrice', 'an amount in EUR'],
    ]);
    assert.deepEqual(fields({ egress: ['a.example:1', 'b.example:1'] }, { egress: ['a.example:1' as never] }), [
      ['egress', 'a.example:1'],
    ]);
  });
});

function edited(good: JudgedJob, change: Partial<NonNullable<PlacementPart['evidence']>>): Partial<JudgedJob> {
  const { evidence } = good.placement;
  return { placement: { ...good.placement, evidence: { ...(evidence ?? assert.fail()), ...change } } };
}

test('whatever job, profile and label: what comes out is as strict as the profile and as the label, or refused', () => {
  const places = fc.constantFrom(['DE'], ['DE', 'FR'], ['EU'], ['US', 'DE'], ['EEA']);
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
  const tiers = fc.subarray([...TIERS], { minLength: 1 });
  const price = fc.record({ microUnits: fc.nat(9), currency: fc.constantFrom('EUR', 'USD') });
  const evidence = fc.record({
    require: fc.subarray(['iso27001', 'soc2'] as ('iso27001' | 'soc2')[]),
    grade: fc.constantFrom(...EVIDENCE_GRADES),
    maxAgeDays: fc.integer({ min: 1, max: 400 }),
  });
  const asked = fc.record({
    tiers: optional(tiers),
    residency: optional(places),
    isolation: optional(fc.constantFrom(...ISOLATIONS)),
    evidence: optional(evidence),
  });
  let allowed = 0;
  fc.assert(
    fc.property(
      asked,
      fc.record({
        requirements: asked,
        sensitivity: optional(fc.constantFrom(...SENSITIVITIES)),
        maxPrice: optional(price),
        burst: optional(fc.constant('never' as const)),
        logs: optional(fc.constant('local' as const)),
      }),
      fc.record({ maxPrice: optional(price), dataLabel: fc.constantFrom(...SENSITIVITIES), dataAt: places }),
      (wish, { requirements, ...more }, { maxPrice, dataLabel, dataAt }) => {
        const entries = Object.entries({ ...requirements, ...more }).filter(([, value]) => value !== undefined);
        const profile = Object.fromEntries(entries) as ProfileRequirements;
        const data = [{ sensitivity: dataLabel, residency: dataAt, purposes: [] }];
        const computed = strictestLabel({ residency: profile.residency }, data);
        if (!computed.allow) return;
        const sensitivity = stricterSensitivity(computed.label.sensitivity, profile.sensitivity ?? 'public');
        const label = { sensitivity, residency: computed.label.residency };
        const decision = withProfile({ ...job, wish, maxPrice }, profile, label);
        const result = decision.allow ? judged(decision.job, label) : undefined;
        if (result === undefined) return;
        allowed += 1;
        assert.deepEqual(checkProfile(profile, result), { allow: true });
        assert.deepEqual(loosenings(result.placement, label), []);
      },
    ),
    { numRuns: 3_000 },
  );
  assert.ok(allowed > 100, `${allowed} were allowed`);
});

test('a profile never makes a job that says nothing impossible under a label that leaves room for both', () => {
  for (const sensitivity of SENSITIVITIES)
    for (const isolation of ISOLATIONS) {
      const label = { sensitivity, residency: [] };
      const decision = withProfile(job, { isolation, tiers: [...TIERS], evidence: { grade: 'self-declared' } }, label);
      assert.ok(decision.allow);
      const result = judged(decision.job, label) ?? assert.fail(`${sensitivity} ${isolation}`);
      assert.deepEqual(result.placement.tiers, [...LABEL_RULES[sensitivity].tiers]);
    }
});
