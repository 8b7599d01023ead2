import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PlanAnswer } from '@ringfence/protocol/api';
import { explanationLines, fixLines } from './explanation-lines.ts';

const plan = (over: Partial<PlanAnswer> = {}): PlanAnswer => ({
  considered: 2,
  feasible: 0,
  refused: [{ constraint: 'tier', count: 2 }],
  failed: [{ constraint: 'tier', count: 2 }],
  soleFailures: [],
  relaxations: [],
  top: [],
  chosen: null,
  looserThanLabel: [],
  ...over,
});
const textOf = (answer: PlanAnswer) => explanationLines(answer, String).join('\n');

test('a pool that keeps a job from leaving is named, whatever else is said', () => {
  assert.match(textOf(plan({ notAway: ['most-at-once'] })), /Pool .*as many attempts are away/);
  const loose = textOf(plan({ notAway: ['budget'], looserThanLabel: ['residency'] }));
  assert.match(loose, /Pool .*the budget .*\nOffers .*looser than the label allows: residency/);
});

test('nobody is told to allow a tier that the pool keeps the job from', () => {
  const [kept = ''] = fixLines(plan({ notAway: ['gate-closed'] }));
  assert.match(kept, /tier: its pool lets it not leave home now: .*`ringfence pool status`/);
  assert.doesNotMatch(kept, /privacy\.place/);
  for (const notAway of [undefined, ['may-not-leave'] as ['may-not-leave'], []])
    assert.match(fixLines(plan(notAway === undefined ? {} : { notAway }))[0] ?? '', /allow its tier in privacy/);
});
