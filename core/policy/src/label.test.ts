import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SENSITIVITIES } from '@ringfence/protocol';
import fc from 'fast-check';
import { meetLabels, strictestLabel, type DatasetLabel, type Label } from './label.ts';
import { meetResidency, residencyCovers, residencyList, residencyOf, residencyWithin } from './residency.ts';

const place = fc.constantFrom('DE', 'FR', 'US', 'CH', 'NO', 'IS', 'LI', 'EU', 'EEA', 'GB');
const places = fc.uniqueArray(place, { maxLength: 5 });
const purpose = fc.constantFrom('research', 'care', 'billing', 'audit');
const sensitivity = fc.constantFrom(...SENSITIVITIES);
const residency = fc.oneof(places.map(residencyOf), fc.constant([]));
const label: fc.Arbitrary<Label> = fc.record(
  {
    sensitivity,
    residency,
    purposes: fc.oneof(
      fc.constant('any' as const),
      fc.uniqueArray(purpose).map((list) => list.toSorted()),
    ),
    acceptProviderPlaintext: fc.boolean(),
  },
  { noNullPrototype: true },
);
const dataset: fc.Arbitrary<DatasetLabel> = fc.record(
  {
    sensitivity,
    residency: places,
    purposes: fc.uniqueArray(purpose),
    acceptProviderPlaintext: fc.boolean(),
  },
  { noNullPrototype: true },
);

describe('meetLabels', () => {
  it('is idempotent, commutative and associative', () => {
    fc.assert(
      fc.property(label, label, label, (a, b, c) => {
        assert.deepEqual(meetLabels(a, a), a);
        assert.deepEqual(meetLabels(a, b), meetLabels(b, a));
        assert.deepEqual(meetLabels(a, meetLabels(b, c)), meetLabels(meetLabels(a, b), c));
      }),
      { numRuns: 2000 },
    );
  });

  it('is never looser than either side', () => {
    fc.assert(
      fc.property(label, label, (a, b) => {
        const met = meetLabels(a, b);
        for (const side of [a, b]) {
          assert.ok(SENSITIVITIES.indexOf(met.sensitivity) >= SENSITIVITIES.indexOf(side.sensitivity));
          assert.ok(residencyWithin(met.residency, side.residency));
          assert.ok(!met.acceptProviderPlaintext || side.acceptProviderPlaintext);
        }
      }),
    );
  });
});

describe('strictestLabel', () => {
  it('does not depend on the order of datasets nor on naming one twice', () => {
    fc.assert(
      fc.property(fc.array(dataset, { maxLength: 4 }), sensitivity, purpose, (datasets, wish, why) => {
        const ask = (rows: readonly DatasetLabel[]) => strictestLabel({ sensitivity: wish, purpose: why }, rows);
        assert.deepEqual(ask(datasets), ask(datasets.toReversed()));
        assert.deepEqual(ask(datasets), ask([...datasets, ...datasets]));
      }),
    );
  });

  it('takes the strictest of the wish and of everything mounted', () => {
    const decision = strictestLabel({ sensitivity: 'internal', purpose: 'research' }, [
      { sensitivity: 'confidential', residency: ['EU'], purposes: ['research', 'care'] },
      { sensitivity: 'public', residency: ['DE', 'US'], purposes: ['research'] },
    ]);
    assert.deepEqual(decision, {
      allow: true,
      label: { sensitivity: 'confidential', residency: ['DE'], purposes: ['research'], acceptProviderPlaintext: false },
    });
  });

  it('lets a wish raise the label and never lower it', () => {
    const rows: DatasetLabel[] = [{ sensitivity: 'confidential', residency: [], purposes: [] }];
    for (const wish of SENSITIVITIES) {
      const decision = strictestLabel({ sensitivity: wish }, rows);
      assert.ok(decision.allow);
      assert.equal(decision.label.sensitivity, wish === 'restricted' ? 'restricted' : 'confidential');
    }
  });

  it('calls code without data internal, and keeps what a lone wish says', () => {
    const bare = strictestLabel({}, []);
    assert.ok(bare.allow);
    assert.equal(bare.label.sensitivity, 'internal');
    const open = strictestLabel({ sensitivity: 'public' }, []);
    assert.ok(open.allow && open.label.sensitivity === 'public' && !open.label.acceptProviderPlaintext);
  });

  it('refuses residencies that no place satisfies instead of calling them anywhere', () => {
    const rows: DatasetLabel[] = [
      { sensitivity: 'public', residency: ['US'], purposes: [] },
      { sensitivity: 'public', residency: ['EU'], purposes: [] },
    ];
    assert.deepEqual(strictestLabel({}, rows), { allow: false, reasons: ['residency-contradiction'] });
  });

  it('refuses a job without a purpose, or with another one, where an owner named purposes', () => {
    const rows: DatasetLabel[] = [{ sensitivity: 'public', residency: [], purposes: ['research'] }];
    assert.deepEqual(strictestLabel({}, rows), { allow: false, reasons: ['purpose-missing'] });
    assert.deepEqual(strictestLabel({ purpose: 'billing' }, rows), { allow: false, reasons: ['purpose-not-allowed'] });
    assert.equal(strictestLabel({ purpose: 'research' }, rows).allow, true);
    const apart: DatasetLabel[] = [...rows, { sensitivity: 'public', residency: [], purposes: ['care'] }];
    assert.equal(strictestLabel({ purpose: 'research' }, apart).allow, false);
  });

  it('needs every owner to accept that a provider sees plaintext', () => {
    const yes: DatasetLabel = {
      sensitivity: 'confidential',
      residency: [],
      purposes: [],
      acceptProviderPlaintext: true,
    };
    const accepted = (rows: DatasetLabel[]): boolean => {
      const decision = strictestLabel({}, rows);
      return decision.allow && decision.label.acceptProviderPlaintext;
    };
    assert.equal(accepted([yes, yes]), true);
    assert.equal(accepted([yes, { ...yes, acceptProviderPlaintext: undefined }]), false);
  });
});

describe('residency', () => {
  it('reads what it writes, with unions folded', () => {
    fc.assert(
      fc.property(places, (list) => {
        const meaning = residencyOf(list);
        const written = residencyList(meaning);
        assert.ok(written !== undefined && written.length <= Math.max(list.length, 1));
        assert.deepEqual(residencyOf(written), meaning);
      }),
    );
    assert.deepEqual(residencyList(residencyOf(['EU', 'NO', 'IS', 'LI', 'CH'])), ['CH', 'EEA']);
    assert.equal(residencyList([]), undefined);
  });

  it('writes no more entries than a statement holds', () => {
    const wide = fc.uniqueArray(fc.stringMatching(/^(?:[A-Z]{2}|EEA)$/), { maxLength: 32 });
    fc.assert(
      fc.property(wide, wide, (a, b) => {
        const written = residencyList(meetResidency(residencyOf(a), residencyOf(b)));
        assert.ok(written === undefined || written.length <= 32);
      }),
    );
  });

  it('covers a place only when every law that applies there is allowed, and no unknown place', () => {
    const eu = residencyOf(['EU']);
    assert.equal(residencyCovers(eu, ['DE']), true);
    assert.equal(residencyCovers(eu, ['EU']), true);
    assert.equal(residencyCovers(eu, ['DE', 'US']), false);
    assert.equal(residencyCovers(eu, ['EEA']), false);
    assert.equal(residencyCovers(eu, []), false);
    assert.equal(residencyCovers('anywhere', []), true);
    assert.equal(residencyCovers([], ['DE']), false);
  });
});
