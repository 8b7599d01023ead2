import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng } from '@ringfence/base';
import { planEncoding } from '../distributed-noise/index.ts';
import { NormalNumbers } from '../trainer/normal-numbers.ts';
import { accuracyOf, evaluate, parameterCount, type Examples, type ModelSpec } from '../trainer/index.ts';
import { simulate, type SimulationPlan } from './simulate.ts';

const SPEC: ModelSpec = { kind: 'softmax', inputs: 4, classes: 2 };

/** Rows on two sides of a plane, a little mixed up. */
function drawnClients(count: number): Examples[] {
  const normal = new NormalNumbers(seededRng('simulated rows'));
  return Array.from({ length: count }, () => {
    const labels = Uint16Array.from({ length: 30 }, (_, row) => row % 2);
    const rows = Float32Array.from({ length: 120 }, (_, at) => normal.next() + (labels[at >> 2] === 1 ? 0.8 : -0.8));
    return { rows, labels, inputs: 4 };
  });
}

function plan(clients: number, change: Partial<SimulationPlan> = {}): SimulationPlan {
  const dimension = parameterCount(SPEC);
  return {
    spec: SPEC,
    training: { method: 'epochs', epochs: 1, batch: 10, rate: 0.2 },
    strategy: { kind: 'fedavg', rate: 1, momentum: 0 },
    encoding: planEncoding({ dimension, clients, clipOf: 'update', clip: 2, noise: null }),
    rounds: 3,
    lost: 1,
    sums: 'secure',
    ...change,
  };
}

test('under secure aggregation a federation learns what it learns in the open, bit for bit, with clients lost in each round', () => {
  const clients = drawnClients(6);
  const [secure, open] = (['secure', 'open'] as const).map((sums) => [
    ...simulate(plan(6, { sums }), clients, seededRng('same')),
  ]);
  assert.deepEqual(secure, open);
  const last = secure?.at(-1);
  assert.equal(last?.included, 5);
  const test = drawnClients(10).at(-1) as Examples;
  assert.ok(accuracyOf(evaluate(SPEC, last.state.model, test)) >= 0.9);
  assert.ok(last.loss < (secure?.[0]?.loss ?? 0));
});

test('a bound on a round’s move holds, and FedProx stays nearer', () => {
  const clients = drawnClients(4);
  const move = (change: Partial<SimulationPlan>): number => {
    const [round] = simulate(plan(4, { rounds: 1, sums: 'open', ...change }), clients, seededRng('moves'));
    return Math.hypot(...(round?.state.model ?? []));
  };
  const free = move({});
  assert.ok(Math.abs(move({ longestMove: free / 2 }) - free / 2) < 1e-9);
  assert.ok(move({ strategy: { kind: 'fedprox', rate: 1, mu: 5 } }) < 0.9 * free);
});

test('too many lost for what the noise was made for end a round', () => {
  const encoding = planEncoding({
    dimension: parameterCount(SPEC),
    clients: 5,
    clipOf: 'update',
    clip: 1,
    noise: { multiplier: 1, honestMin: 4 },
  });
  const rounds = simulate(plan(5, { encoding, lost: 2 }), drawnClients(5), seededRng('lost'));
  assert.throws(() => rounds.next(), { name: 'FlError' });
});
