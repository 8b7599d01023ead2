import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  EVIDENCE_GRADES,
  EVIDENCE_STANDARDS,
  ISOLATIONS,
  LABEL_RULES,
  SENSITIVITIES,
  TEES,
  TIERS,
} from '@ringfence/protocol';
import type { PlacementPart } from '@ringfence/protocol/statements';
import fc from 'fast-check';
import { constraintsFor, type PlacementWish } from './constraints.ts';
import { needsAt } from './needs.ts';
import { checkPlacement, checkWorkload } from './placement-check.ts';
import type { PlacementLabel } from './placement-limits.ts';
import { residencyOf, residencyWithin } from './residency.ts';
import { gradeAtLeast, isolationAtLeast } from './strictness.ts';

const places = fc.uniqueArray(fc.constantFrom('DE', 'FR', 'US', 'EU', 'NO'), { maxLength: 4 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const label: fc.Arbitrary<PlacementLabel> = fc.record({
  sensitivity: fc.constantFrom(...SENSITIVITIES),
  residency: places,
  acceptProviderPlaintext: maybe(fc.boolean()),
});
const wish: fc.Arbitrary<PlacementWish> = fc.record({
  tiers: maybe(fc.uniqueArray(fc.constantFrom(...TIERS))),
  residency: maybe(places),
  isolation: maybe(fc.constantFrom(...ISOLATIONS)),
  tees: maybe(fc.uniqueArray(fc.constantFrom(...TEES))),
  evidence: maybe(
    fc.record({
      require: maybe(fc.uniqueArray(fc.constantFrom(...EVIDENCE_STANDARDS), { maxLength: 3 })),
      grade: maybe(fc.constantFrom(...EVIDENCE_GRADES)),
      maxAgeDays: maybe(fc.integer({ min: 1, max: 3650 })),
    }),
  ),
  egress: maybe(fc.constantFrom('none' as const, 'declared' as const)),
  burst: maybe(fc.constantFrom('allowed' as const, 'never' as const)),
  logs: maybe(fc.constantFrom('local' as const, 'sealed' as const)),
});
const rest = {
  v: 1 as const,
  type: 'train' as const,
  resources: { cpuMilli: 1000, memoryBytes: 1e9, diskBytes: 0, hardLimits: false },
  onPartition: 'stop' as const,
  spot: 'auto' as const,
  priority: 50,
  maxDurationMs: 3_600_000,
};
function placed(from: PlacementLabel, asked: PlacementWish): PlacementPart | undefined {
  const decision = constraintsFor(from, asked);
  if (!decision.allow) return undefined;
  const { logs: _, ...part } = decision.constraints;
  return { ...rest, ...part };
}

describe('constraintsFor', () => {
  it('gives the defaults of the table to a job that wishes nothing', () => {
    for (const sensitivity of SENSITIVITIES) {
      const rule = LABEL_RULES[sensitivity];
      const decision = constraintsFor({ sensitivity, residency: ['EU'] }, {});
      assert.ok(decision.allow);
      const { evidence, ...constraints } = decision.constraints;
      assert.deepEqual(constraints, {
        tiers: rule.tiers,
        residency: ['EU'],
        isolation: rule.processAtHome ? 'process' : rule.isolation,
        tees: [],
        egress: 'none',
        burst: rule.burst,
        logs: rule.logs,
      });
      assert.equal(evidence?.grade, rule.evidence);
    }
  });

  it('writes the table of the design', () => {
    assert.deepEqual(
      SENSITIVITIES.map((name) => {
        const { tiers, isolation, processAtHome, evidence, teeAway, egress, logs, burst } = LABEL_RULES[name];
        return [name, tiers.join(), isolation, processAtHome, evidence ?? '-', teeAway, egress, logs, burst].join(' ');
      }),
      [
        'public private,secure-cloud,community-cloud sandbox true - false declared sealed allowed',
        'internal private,secure-cloud sandbox true documented false declared sealed allowed',
        'confidential private,secure-cloud container false third-party true none sealed allowed',
        'restricted private sandbox false - true none local never',
      ],
    );
  });

  it('gives only what its own check, asked again later, allows', () => {
    fc.assert(
      fc.property(label, wish, (from, asked) => {
        const part = placed(from, asked);
        if (part !== undefined) assert.deepEqual(checkPlacement(part, from), { allow: true });
      }),
      { numRuns: 5000 },
    );
  });

  it('never gives a job more than the table, and takes every wish as it was written', () => {
    let given = 0;
    fc.assert(
      fc.property(label, wish, (from, asked) => {
        const part = placed(from, asked);
        if (part === undefined) return;
        given += 1;
        const rule = LABEL_RULES[from.sensitivity];
        assert.ok(part.tiers.length > 0 && part.tiers.every((tier) => rule.tiers.includes(tier)));
        assert.ok(residencyWithin(residencyOf(part.residency), residencyOf(from.residency)));
        assert.ok(rule.egress === 'declared' || part.egress === 'none');
        assert.ok(rule.burst === 'allowed' || part.burst === 'never');
        if (asked.isolation !== undefined) assert.equal(part.isolation, asked.isolation);
        if (asked.tiers !== undefined) assert.deepEqual(part.tiers, asked.tiers);
        if (asked.isolation === undefined && !part.tiers.includes('private'))
          assert.equal(part.isolation, rule.isolation);
        for (const tier of TIERS) {
          const needs = needsAt(part, from, tier);
          if (needs === undefined) continue;
          const floor = tier === 'private' && rule.processAtHome ? 'process' : rule.isolation;
          assert.ok(isolationAtLeast(needs.isolation, floor));
          if (tier === 'private') continue;
          if (rule.evidence !== undefined)
            assert.ok(needs.evidence && gradeAtLeast(needs.evidence.grade, rule.evidence));
          if (rule.teeAway && from.acceptProviderPlaintext !== true) assert.ok(needs.tees && needs.tees.length > 0);
        }
      }),
      { numRuns: 5000 },
    );
    assert.ok(given > 200, `only ${given} of the wishes were permitted`);
  });

  it('names each field that is looser, and what would be permitted', () => {
    const decision = constraintsFor(
      { sensitivity: 'restricted', residency: ['DE'] },
      {
        tiers: ['private', 'secure-cloud'],
        residency: ['DE', 'FR'],
        isolation: 'process',
        egress: 'declared',
        burst: 'allowed',
        logs: 'sealed',
      },
    );
    assert.deepEqual(decision, {
      allow: false,
      reasons: [
        { field: 'tiers', allowed: ['private'] },
        { field: 'residency', allowed: ['DE'] },
        { field: 'isolation', allowed: ['sandbox'] },
        { field: 'egress', allowed: ['none'] },
        { field: 'burst', allowed: ['never'] },
        { field: 'logs', allowed: ['local'] },
      ],
    });
  });

  it('refuses anywhere to data that must stay somewhere', () => {
    const decision = constraintsFor({ sensitivity: 'public', residency: ['DE'] }, { residency: [] });
    assert.deepEqual(decision, { allow: false, reasons: [{ field: 'residency', allowed: ['DE'] }] });
  });

  it('takes process only where the label has a star and the job may stay at home', () => {
    const ask = (sensitivity: PlacementLabel['sensitivity'], tiers?: PlacementWish['tiers']): boolean =>
      constraintsFor({ sensitivity, residency: [] }, { isolation: 'process', tiers }).allow;
    assert.deepEqual(
      SENSITIVITIES.map((sensitivity) => ask(sensitivity)),
      [true, true, false, false],
    );
    assert.equal(ask('public', ['community-cloud']), false);
  });

  it('refuses evidence that is weaker or older than the label asks, away from home only', () => {
    const ask = (evidence: PlacementWish['evidence'], tiers?: PlacementWish['tiers']): boolean =>
      constraintsFor({ sensitivity: 'internal', residency: [] }, { evidence, tiers }).allow;
    assert.equal(ask({ grade: 'self-declared' }), false);
    assert.equal(ask({ grade: 'self-declared' }, ['private']), true);
    assert.equal(ask({ grade: 'measured', maxAgeDays: 30 }), true);
    assert.equal(ask({ maxAgeDays: 366 }), false);
  });
});

describe('needsAt', () => {
  const internal: PlacementLabel = { sensitivity: 'internal', residency: [] };
  const part = (asked: PlacementWish, from = internal): PlacementPart => placed(from, asked) ?? assert.fail();

  it('keeps a job that must not burst at home', () => {
    assert.equal(needsAt(part({ burst: 'never' }), internal, 'secure-cloud'), undefined);
    assert.ok(needsAt(part({ burst: 'never', tiers: ['secure-cloud'] }), internal, 'secure-cloud'));
  });

  it('asks for a TEE away from home for confidential data, unless its owner accepted the provider', () => {
    const confidential: PlacementLabel = { sensitivity: 'confidential', residency: [] };
    const plain = part({}, confidential);
    assert.deepEqual(needsAt(plain, confidential, 'private')?.tees, undefined);
    assert.deepEqual(needsAt(plain, confidential, 'secure-cloud')?.tees, [...TEES]);
    assert.equal(needsAt(plain, confidential, 'secure-cloud')?.isolation, 'tee');
    const accepted = { ...confidential, acceptProviderPlaintext: true };
    assert.equal(needsAt(plain, accepted, 'secure-cloud')?.isolation, 'container');
  });

  it('asks strangers for gvisor, whatever the job says', () => {
    const open: PlacementLabel = { sensitivity: 'public', residency: [] };
    assert.equal(needsAt(part({ isolation: 'process' }, open), open, 'community-cloud')?.isolation, 'gvisor');
    assert.equal(needsAt(part({ isolation: 'process' }, open), open, 'private')?.isolation, 'process');
  });

  it('demands what the label demands even of a placement that was written past the check', () => {
    const edited: PlacementPart = { ...part({}), tiers: [...TIERS], isolation: 'process' };
    const restricted: PlacementLabel = { sensitivity: 'restricted', residency: [] };
    assert.equal(needsAt(edited, restricted, 'community-cloud'), undefined);
    assert.equal(needsAt(edited, restricted, 'private')?.isolation, 'sandbox');
    const weak = { ...edited, evidence: { require: [], grade: 'self-declared' as const, maxAgeDays: 9 } };
    assert.equal(needsAt(weak, internal, 'secure-cloud')?.evidence?.grade, 'documented');
    const { evidence: _, ...unproven } = edited;
    assert.equal(needsAt(unproven, internal, 'secure-cloud')?.evidence?.grade, 'documented');
  });
});

describe('checkWorkload', () => {
  const from: PlacementLabel = { sensitivity: 'restricted', residency: [] };
  const placement = placed(from, {}) ?? assert.fail();
  const same = {
    resources: { ...placement.resources },
    isolation: placement.isolation,
    maxDurationMs: placement.maxDurationMs,
    logs: 'local' as const,
  };

  it('allows a workload that agrees with its placement', () => {
    assert.deepEqual(checkWorkload(same, placement, from), { allow: true });
  });

  it('names what differs', () => {
    const other = {
      resources: { ...placement.resources, cpuMilli: 2000 },
      isolation: 'process' as const,
      maxDurationMs: 1,
      logs: 'sealed' as const,
    };
    assert.deepEqual(checkWorkload(other, placement, from), {
      allow: false,
      reasons: ['resources-differ', 'isolation-differs', 'duration-differs', 'logs-leave'],
    });
  });

  it('lets no list through that the placement does not know of, nor the reverse', () => {
    const egress = ['a.example:443'];
    const denied = { allow: false, reasons: ['egress-differs'] };
    assert.deepEqual(checkWorkload({ ...same, egress }, placement, from), denied);
    const declared = { ...placement, egress: 'declared' as const };
    assert.deepEqual(checkWorkload(same, declared, from), denied);
    assert.deepEqual(checkWorkload({ ...same, egress }, declared, from), { allow: true });
  });
});
