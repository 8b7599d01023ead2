// A client or the aggregator dies at every point at which something is written down, and comes back: the model is always that of the rounds that were summed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import { sha256Hex } from '@ringfence/crypto/sign';
import { toldLine } from './client/told-line.fixture.ts';
import { assertNear, expectedModel, PLAIN, TestFederation, type TestClient } from './federation.fixture.ts';

const TERMS = { ...PLAIN, rounds: { count: 2, longestMs: 1_500 } };
const never = new AbortController().signal;

class Killed extends Error {}

/** Dies at the `at`-th step, before or after it is on disk, then lives again. */
async function dies(
  { clients, terms }: TestFederation,
  at: number,
  when: 'before' | 'after',
): Promise<Float32Array | undefined> {
  const client = clients[3] ?? assert.fail();
  let steps = 0;
  const killed = new AbortController();
  const burn = (sequence: number): Promise<void> => {
    steps += 1;
    if (steps !== at || when === 'after') client.sequence = Math.max(client.sequence, sequence);
    if (steps === at) killed.abort();
    return steps < at ? Promise.resolve() : Promise.reject(new Killed());
  };
  await assert.rejects(client.run(killed.signal, { burn }));
  // Before its first step is on disk it has said nothing in the round.
  if (client.sequence >= 0) await refusesAgain(client, terms.parameters);
  const end = await client.run();
  return end.outcome === 'finished' ? end.model : undefined;
}

/** An aggregator that begins the round again in which the client died hears that it is not taken part in. */
async function refusesAgain(client: TestClient, parameters: number): Promise<void> {
  const model = { digest: sha256Hex(new Uint8Array(4)), bytes: 4 * parameters };
  const { line, sent } = toldLine([
    { kind: 'announce', round: 1, model },
    { kind: 'begin', round: 1 },
  ]);
  const over = new AbortController();
  const running = client.run(over.signal, { line });
  await until(() => sent.length === 2);
  assert.deepEqual(sent[1], { kind: 'decline', round: 1, reason: 'replayed-round' });
  over.abort();
  await assert.rejects(running);
}

for (const when of ['before', 'after'] as const)
  for (const at of [1, 2, 3, 4, 5, 6])
    test(`a client dies ${when} its step ${at} is on disk`, async (t) => {
      const federation = await TestFederation.open(t, { clients: 4, terms: TERMS });
      const [first, second, third] = federation.clients;
      assert.ok(first && second && third);
      const [end, one, , , model] = await Promise.all([
        federation.aggregator().run(never),
        first.run(),
        second.run(),
        third.run(),
        dies(federation, at, when),
      ]);
      assert.equal(end, 'finished');
      const { parameters } = federation.terms;
      const sums = first.reports.flatMap(([, { outcome, survivors }]) => (outcome === 'summed' ? [survivors] : []));
      assert.equal(sums.length, 2);
      const expected = sums
        .map((survivors) =>
          expectedModel(
            parameters,
            federation.clients.flatMap(({ agent, member }) => (survivors.includes(agent) ? [member] : [])),
            1,
          ),
        )
        .reduce((total, round) => total.map((value, index) => value + (round[index] ?? 0)));
      assertNear(one.outcome === 'finished' ? one.model : undefined, expected);
      assertNear(model, expected);
    });

for (const point of [
  'federation-before-burn',
  'federation-after-burn',
  'federation-before-checkpoint',
  'federation-after-checkpoint',
] as const)
  for (const pass of [1, 2])
    test(`the aggregator dies at ${point}, passing ${pass}`, async (t) => {
      const federation = await TestFederation.open(t, { terms: TERMS });
      let passed = 0;
      const fault = (at: string): void => {
        if (at === point) passed += 1;
        if (at === point && passed === pass) throw new Killed();
      };
      const lives = async (): Promise<unknown> => {
        await assert.rejects(federation.aggregator({ fault }).run(never), Killed);
        return federation.aggregator().run(never);
      };
      const [end, ...ends] = await Promise.all([lives(), ...federation.clients.map((client) => client.run())]);
      assert.equal(end, 'finished');
      const expected = expectedModel(federation.terms.parameters, [0, 1, 2], 2);
      for (const client of ends) assertNear(client.outcome === 'finished' ? client.model : undefined, expected);
    });
