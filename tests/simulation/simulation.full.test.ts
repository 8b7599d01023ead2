import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from './simulation.ts';

const EVENTS = 1_000_000;
/** The same in each run, so that what turns red is the change; another one by RINGFENCE_SIMULATION_SEED. */
const { RINGFENCE_SIMULATION_SEED: seed = 'the long one' } = process.env;

test(`a million events keep every promise (seed ${seed})`, (t) => {
  const { events, simulatedMs, counts, longestWaitMs } = simulate({ seed, events: EVENTS });
  assert.ok(events >= EVENTS);
  const faults = [...counts].filter(([what]) => what.startsWith('fault: '));
  assert.equal(faults.length, 12, 'every kind of fault struck');
  for (const what of [
    'burst open',
    'burst close',
    'burst move',
    'burst release',
    'placed community-cloud',
    'refused capacity',
  ])
    assert.ok((counts.get(what) ?? 0) > 0, `${what} never happened`);
  const hours = (simulatedMs / 3_600_000).toFixed(1);
  const jobs = counts.get('submitted') ?? 0;
  t.diagnostic(`${events} events, ${hours} h, ${jobs} jobs, longest wait ${Math.round(longestWaitMs / 60_000)} min`);
});
