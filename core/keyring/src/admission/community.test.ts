// Agent and custodian judge a start by this same code, each with what it knows.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Isolation } from '@ringfence/protocol';
import type { LabelStatement, PlacementPart } from '@ringfence/protocol/statements';
import { SampleProvider } from '../sample-provider.fixture.ts';
import type { Check } from './checks.ts';
import { checkLease } from './lease.ts';
import { PLACEMENT, SampleHouse, SampleStart, type Edit } from './sample-start.fixture.ts';

const house = new SampleHouse('community');
const provider = new SampleProvider(house.sample, 'community-cloud');
const { agent } = provider.join();

interface Leased {
  readonly isolation?: Isolation;
  readonly tier?: 'community-cloud' | 'secure-cloud';
  readonly sensitivity?: LabelStatement['sensitivity'];
  readonly placement?: Partial<PlacementPart>;
}

/** What keeps a job from starting on a stranger's machine, whatever a control plane that lies has leased. */
function refused({ isolation = 'gvisor', tier = 'community-cloud', sensitivity, placement }: Leased): readonly Check[] {
  const asked: PlacementPart = {
    ...PLACEMENT,
    tiers: ['community-cloud'],
    residency: [],
    isolation: 'sandbox',
    evidence: { require: [], grade: 'self-declared', maxAgeDays: 90 },
    ...placement,
  };
  const edit: Edit = {
    label: (body) => ({ ...body, sensitivity: sensitivity ?? 'public', residency: [] }),
    receipt: (body) => ({
      ...body,
      price: { microUnits: 0, currency: 'EUR' },
      chosen: { ...body.chosen, agent, tier, isolation },
    }),
    lease: (body) => ({ ...body, agent }),
  };
  const evidence = { documents: [provider.evidence()], revocations: [] };
  const start = new SampleStart(house, { placement: asked }).start(edit);
  const decision = checkLease(start, house.context({ agent, evidence }));
  return decision.allow ? [] : decision.reasons;
}

describe('a start on a community machine', () => {
  it('is in gVisor or stronger, also where the job asks for less', () => {
    assert.deepEqual(refused({}), []);
    for (const isolation of ['process', 'sandbox', 'container'] as const)
      assert.ok(refused({ isolation }).includes('receipt-isolation'), isolation);
  });

  it('is of a job that names the tier, and of public data', () => {
    for (const tiers of [['private'], ['secure-cloud'], ['private', 'secure-cloud']] as PlacementPart['tiers'][])
      assert.ok(refused({ placement: { tiers } }).includes('receipt-tier'), tiers.join());
    for (const sensitivity of ['internal', 'confidential', 'restricted'] as const)
      assert.ok(refused({ sensitivity }).length > 0, sensitivity);
  });

  it('is called what it is: no receipt makes it a machine of another tier', () => {
    const placement = { tiers: ['secure-cloud'] as PlacementPart['tiers'] };
    assert.ok(refused({ tier: 'secure-cloud', placement, isolation: 'sandbox' }).includes('receipt-tier'));
  });
});
