import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate, type SimulationResult } from './simulation.ts';
import type { Breakage } from './breakage.ts';

const some = (result: SimulationResult, what: string): number => result.counts.get(what) ?? 0;

test('placer, job and attempt machines, burst and budget keep every promise through faults of all kinds', () => {
  const result = simulate({ seed: 'every change', events: 25_000 });
  // A simulation in which nothing happens keeps every promise.
  assert.ok(some(result, 'finished succeeded') > 100);
  assert.ok(some(result, 'placed private') > 100 && some(result, 'placed secure-cloud') > 10);
  assert.ok(some(result, 'compared with brute force') > 10);
  assert.ok(some(result, 'burst open') > 0);
  assert.ok(some(result, 'ended lease-lost') > 5);
  assert.ok(some(result, 'gangs placed') > 5 && some(result, 'gangs not placed') > 5);
  assert.ok(some(result, 'terms') > 1);
});

test('a seed comes to the same again', () => {
  const once = simulate({ seed: 'again', events: 2_000 });
  const again = simulate({ seed: 'again', events: 2_000 });
  assert.deepEqual([...again.counts], [...once.counts]);
  assert.equal(again.simulatedMs, once.simulatedMs);
});

/** What each check says when what it checks is broken. */
const FOUND: Readonly<Record<Breakage, RegExp>> = {
  'second-attempt': /2 attempts of one job run/,
  'ignore-constraints': /a job was placed on an offer that breaks/,
  'ignore-capacity': /more is reserved than there is/,
  'ignore-budget': /spent and \d+ reserved of/,
  'restricted-away': /restricted work is outside private sites/,
  'false-explanation': /an explanation is not true/,
  'forget-a-job': /waits and nobody says why/,
  'starve-a-job': /a job starves \(internal/,
  'renew-for-ever': /an attempt ran past what the budget covers/,
  'place-without-term': /places in term \d+, after one in term/,
  'leave-a-dead-term': /a replica is there, and nobody places/,
  'split-a-gang': /\d of a gang of \d started/,
};

/** Those that are found in the end of a simulation need not be long. */
const EVENTS: Partial<Record<Breakage, number>> = { 'starve-a-job': 2_000, 'renew-for-ever': 8_000 };

for (const [breakage, found] of Object.entries(FOUND) as [Breakage, RegExp][])
  test(`the check finds what does wrong: ${breakage}, and names its seed`, () => {
    const run = () => simulate({ seed: 'b', events: EVENTS[breakage] ?? 30_000, breakage });
    assert.throws(run, (error: Error) => found.test(error.message) && /^seed b, event \d+: /.test(error.message));
  });
