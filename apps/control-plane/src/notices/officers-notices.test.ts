import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng, type EpochMs } from '@ringfence/base';
import { propose, stepProposal, USUAL_LONE_OFFICER, type ProposalContext } from '@ringfence/policy/assurance';
import type { StoredLock } from '@ringfence/store/locks';
import { ASSURANCE_RULES } from '../members/assurance-rules.ts';
import { waitingWishes } from './officers-notices.ts';

const MINUTE_MS = 60_000;

test('since when something waits is when it was proposed, however often it is looked at', () => {
  const begun = 1_790_000_000_000 as EpochMs;
  const anna = { member: newId('member', systemRng), device: newId('device', systemRng), locked: false, roles: [] };
  const ben = { member: newId('member', systemRng), device: newId('device', systemRng), locked: false, roles: [] };
  const at = (now: number, officers: ProposalContext['officers']): ProposalContext => ({
    now: now as EpochMs,
    officers,
    requirement: { level: 0, withinMs: MINUTE_MS, people: 2, byRecoveryCode: false },
    rules: ASSURANCE_RULES,
    loneOfficer: USUAL_LONE_OFFICER,
    foundedAt: 0 as EpochMs,
    newestWordAt: 0 as EpochMs,
  });
  const proposed = propose({ ...anna, factors: [] }, 'digest', at(begun, [anna, ben]));
  assert.ok(proposed.allow);
  let { state } = proposed;
  for (const [officers, minutes, phase] of [
    [[anna, ben], 5, 'collecting'],
    [[anna], 6, 'waiting'],
    [[anna], 90, 'waiting'],
  ] as const) {
    const looked = stepProposal(state, { type: 'looked' }, at(begun + minutes * MINUTE_MS, officers));
    assert.ok(looked.allow);
    ({ state } = looked);
    assert.equal(state.phase, phase);
    const lock = { id: newId('lock', systemRng), term: 1, confirming: null, lifting: state } as unknown as StoredLock;
    assert.deepEqual(
      waitingWishes(lock).map((told) => told.at),
      [begun],
    );
  }
});
