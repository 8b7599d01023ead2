import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs } from '@ringfence/base';
import type { PlacementPart } from '@ringfence/protocol/statements';
import { SampleProvider } from '../sample-provider.fixture.ts';
import { refusalOf, type Check } from './checks.ts';
import { checkLease, type AdmissionContext } from './lease.ts';
import { PLACEMENT, SampleHouse, SampleStart, type Edit } from './sample-start.fixture.ts';

const HOUR = 3_600_000;
const house = new SampleHouse('wishes');
const { sample } = house;

/** The checks that fail for a start on a machine of the sample organisation's own. */
function atHome(change: Partial<PlacementPart>, context: Partial<AdmissionContext> = {}): readonly Check[] {
  const start = new SampleStart(house, { placement: { ...PLACEMENT, ...change } });
  const decision = checkLease(start.start(), house.context(context));
  return decision.allow ? [] : decision.reasons;
}

describe('what a job signed of its cost and its end, held against what the control plane leased', () => {
  const at = epochMs(sample.now + HOUR);

  it('starts nothing from the deadline on', () => {
    assert.deepEqual(atHome({ deadline: at }), []);
    assert.deepEqual(atHome({ deadline: epochMs(sample.now + 1) }), []);
    assert.deepEqual(atHome({ deadline: sample.now }), ['placement-deadline']);
    assert.equal(refusalOf(['placement-deadline']), 'job-expired');
  });

  it('takes no budget that counts fewer attempts than the order allows', () => {
    // The sample order allows five.
    assert.deepEqual(atHome({ budget: { microUnits: 1, currency: 'EUR', attempts: 5 } }), []);
    assert.deepEqual(atHome({ budget: { microUnits: 1, currency: 'EUR', attempts: 4 } }), ['placement-budget']);
  });

  it('starts nothing away from home at a price at which all attempts could cost more than the budget', () => {
    const provider = new SampleProvider(sample);
    const { agent } = provider.join();
    const { maxPrice: _, ...unlimited } = PLACEMENT;
    // Six hours, five attempts: 30 hours.
    const budget = { microUnits: 60_000_000, currency: 'EUR', attempts: 5 };
    const places = { residency: [], evidence: { require: [], grade: 'documented' as const, maxAgeDays: 90 } };
    const placement: PlacementPart = { ...unlimited, ...places, maxDurationMs: 6 * HOUR, budget };
    const judge = (price: PlacementPart['maxPrice'], change: Partial<PlacementPart> = {}): readonly Check[] => {
      const edit: Edit = {
        label: (body) => ({ ...body, residency: [] }),
        receipt: (body) => ({
          ...body,
          ...(price === undefined ? {} : { price }),
          chosen: { ...body.chosen, agent, tier: 'secure-cloud' },
        }),
        lease: (body) => ({ ...body, agent }),
      };
      const evidence = { documents: [provider.evidence()], revocations: [] };
      const start = new SampleStart(house, { placement: { ...placement, ...change } });
      const decision = checkLease(start.start(edit), house.context({ agent, evidence }));
      return decision.allow ? [] : decision.reasons;
    };
    assert.deepEqual(judge({ microUnits: 2_000_000, currency: 'EUR' }), []);
    assert.deepEqual(judge({ microUnits: 2_000_001, currency: 'EUR' }), ['receipt-price']);
    assert.deepEqual(judge({ microUnits: 1, currency: 'USD' }), ['receipt-price']);
    assert.deepEqual(judge(undefined), ['receipt-price']);
    assert.deepEqual(judge({ microUnits: 2_000_000, currency: 'EUR' }, { maxDurationMs: 6 * HOUR + 1_000 }), [
      'receipt-price',
    ]);
  });
});

describe('a job whose keys may be nowhere that strangers could read them', () => {
  const provider = new SampleProvider(sample, 'community-cloud');
  const { agent } = provider.join();
  const judge = (customerKey: boolean, tee: boolean): readonly Check[] => {
    const placement: PlacementPart = {
      ...PLACEMENT,
      tiers: ['community-cloud'],
      residency: [],
      isolation: 'gvisor',
      evidence: { require: [], grade: 'self-declared', maxAgeDays: 90 },
      ...(customerKey ? { customerKey } : {}),
    };
    const isolation = tee ? ('tee' as const) : ('gvisor' as const);
    const edit: Edit = {
      label: (body) => ({ ...body, sensitivity: 'public', residency: [] }),
      receipt: (body) => ({
        ...body,
        price: { microUnits: 0, currency: 'EUR' },
        chosen: { ...body.chosen, agent, tier: 'community-cloud', isolation },
      }),
      lease: (body) => ({ ...body, agent }),
    };
    const evidence = { documents: [provider.evidence()], revocations: [] };
    const decision = checkLease(
      new SampleStart(house, { placement }).start(edit),
      house.context({ agent, evidence, appraised: { tee } }),
    );
    return decision.allow ? [] : decision.reasons;
  };

  it('starts on a community machine in an appraised TEE alone, whatever the control plane leased', () => {
    assert.deepEqual(judge(false, false), []);
    assert.deepEqual(judge(true, true), []);
    assert.deepEqual(judge(true, false), ['receipt-isolation', 'tee-not-appraised']);
  });
});
