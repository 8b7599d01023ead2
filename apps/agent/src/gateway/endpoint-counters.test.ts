import assert from 'node:assert/strict';
import { it } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import { endpointCounts, LATENCY_BOUNDS_MS } from '@ringfence/protocol/payload';
import { EndpointCounters } from './endpoint-counters.ts';

it('counters of an endpoint say each answer once, in its class of status and of time', () => {
  const counters = new EndpointCounters();
  for (const [status, ms] of [
    [200, 0.5],
    [200, 1],
    [204, 3],
    [301, 1.5],
    [404, 99_999],
    [502, 10],
  ] as const)
    counters.answered(status, ms);
  counters.refused('replica-lost');
  counters.spent({ in: 5, out: 2 });
  counters.spent({ in: 1, out: 1 });
  const endpoint = newId('endpoint', systemRng);
  const counts = endpointCounts.parse(counters.read({ endpoint, name: 'e', inFlight: 1, held: 2 }));
  assert.deepEqual(counts.answers, { '1xx': 0, '2xx': 3, '3xx': 1, '4xx': 1, '5xx': 1 });
  assert.deepEqual(counts.latency.slice(0, 4), [2, 1, 1, 1]);
  assert.equal(counts.latency[LATENCY_BOUNDS_MS.length], 1);
  assert.equal(
    counts.latency.reduce((sum, count) => sum + count, 0),
    6,
  );
  assert.deepEqual([counts.tokensIn, counts.tokensOut, counts.refusals['replica-lost']], [6, 3, 1]);
});
