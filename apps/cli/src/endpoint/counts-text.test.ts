import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { newId, systemRng as rng } from '@ringfence/base';
import { GATEWAY_REFUSALS, LATENCY_BOUNDS_MS, type EndpointCounts } from '@ringfence/protocol/payload';
import { countsLines, quantile } from './counts-text.ts';
import { sumOf } from './gateway-counts.ts';

function countsOf(latency: Readonly<Record<number, number>>, change: Partial<EndpointCounts> = {}): EndpointCounts {
  const classes = [...LATENCY_BOUNDS_MS, Number.POSITIVE_INFINITY].map((bound) => latency[bound] ?? 0);
  return {
    endpoint: newId('endpoint', rng),
    name: 'model',
    answers: { '1xx': 0, '2xx': classes.reduce((sum, count) => sum + count, 0), '3xx': 0, '4xx': 0, '5xx': 0 },
    inFlight: 1,
    held: 2,
    latency: classes,
    latencyMsSum: 1_000,
    tokensIn: 10,
    tokensOut: 20,
    refusals: Object.fromEntries(GATEWAY_REFUSALS.map((reason) => [reason, 0])) as EndpointCounts['refusals'],
    ...change,
  };
}

describe('what gateways counted', () => {
  test('has the quantiles that its classes hold', () => {
    const { latency } = countsOf({ 5: 50, 10: 49, [Number.POSITIVE_INFINITY]: 1 });
    assert.deepEqual(quantile(latency, 0.5), { least: 2, most: 5 });
    assert.deepEqual(quantile(latency, 0.51), { least: 5, most: 10 });
    assert.deepEqual(quantile(latency, 0.99), { least: 5, most: 10 });
    assert.deepEqual(quantile(latency, 1), { least: 60_000, most: Number.POSITIVE_INFINITY });
    assert.equal(quantile(countsOf({}).latency, 0.5), undefined);
  });

  test('of several gateways is added up, and drawn with errors, tokens and latency', () => {
    const refusals = { ...countsOf({}).refusals, 'no-replica': 3 };
    const bad = countsOf({ 10: 3 }, { refusals, answers: { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 3 } });
    const lines = countsLines(sumOf([countsOf({ 5: 6, 25: 1 }), bad]), 2).join('\n');
    assert.match(lines, /^model: 10 answers since its 2 gateways started, 2 under way, 4 held$/m);
    assert.match(lines, /^answers {2}2xx 7 {2}5xx 3$/m);
    assert.match(lines, /^errors {3}3 of 10; the gateway’s own: 3 no-replica$/m);
    assert.match(lines, /^tokens {3}20 in, 40 out$/m);
    assert.match(lines, /^latency {2}p50 ≤ 5 ms, p90 ≤ 10 ms, p99 ≤ 25 ms, mean 200\.0 ms$/m);
    assert.match(lines, /^ +≤ 5 ms {2}6 {2}█{40}\n +≤ 10 ms {2}3 {2}█{20}\n +≤ 25 ms {2}1 {2}█{7}$/m);
  });

  test('of an endpoint that nobody called says so, and draws nothing', () => {
    const lines = countsLines(countsOf({}), 1);
    assert.match(lines[0] ?? '', /0 answers since its gateway started/);
    assert.match(lines[1] ?? '', /none yet/);
    assert.equal(lines.length, 4);
  });
});
