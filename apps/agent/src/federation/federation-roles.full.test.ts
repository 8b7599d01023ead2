// Clients that are gone, or hold something else, in the middle of a round.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '@ringfence/base/until';
import type { ClientRoleEnd } from './client/client-role.ts';
import { assertNear, expectedModel, PLAIN, TestFederation } from './federation.fixture.ts';

test('of four, one is gone in the middle of a round: the rounds are those of the others', async (t) => {
  const terms = { ...PLAIN, rounds: { count: 2, longestMs: 1_500 } };
  const federation = await TestFederation.open(t, { clients: 4, terms });
  const { clients } = federation;
  const killed = new AbortController();
  let burned = 0;
  const lost = clients[3]?.run(killed.signal, {
    // It dies after it dealt its shares, before its vector.
    burn: () => {
      burned += 1;
      if (burned === 4) killed.abort();
      return Promise.resolve();
    },
  });
  const [end, first] = await Promise.all([
    federation.aggregator().run(new AbortController().signal),
    ...clients.slice(0, 3).map((client) => client.run()),
    assert.rejects(lost ?? assert.fail()),
  ]);
  assert.equal(end, 'finished');
  const expected = expectedModel(federation.terms.parameters, [0, 1, 2], 2);
  assertNear(typeof first === 'object' && first.outcome === 'finished' ? first.model : undefined, expected);
  for (const [, report] of clients[0]?.reports ?? assert.fail()) {
    assert.deepEqual(report.missing, [clients[3]?.agent]);
    assert.equal(report.examples, 600);
  }
});

test('of three, one is gone in the middle of a round: it aborts, and a later one completes when it is back', async (t) => {
  const terms = { ...PLAIN, rounds: { count: 1, longestMs: 1_500 } };
  const federation = await TestFederation.open(t, { terms });
  const { clients } = federation;
  const [one, two, three] = [clients[0] ?? assert.fail(), clients[1] ?? assert.fail(), clients[2] ?? assert.fail()];
  const never = new AbortController().signal;
  const killed = new AbortController();
  let burned = 0;
  const lives = async (): Promise<ClientRoleEnd> => {
    const dies = three.run(killed.signal, {
      burn: (sequence) => {
        burned += 1;
        three.sequence = sequence;
        if (burned === 3) killed.abort();
        return Promise.resolve();
      },
    });
    await assert.rejects(dies);
    await until(() => federation.said.some((line) => line.startsWith('round 1: aborted')));
    return three.run();
  };
  const [end, first, , third] = await Promise.all([federation.aggregator().run(never), one.run(), two.run(), lives()]);
  assert.equal(end, 'finished');
  const expected = expectedModel(federation.terms.parameters, [0, 1, 2], 1);
  for (const client of [first, third]) assertNear(client.outcome === 'finished' ? client.model : undefined, expected);
  assert.deepEqual(
    one.reports.map(([round, { outcome }]) => [round, outcome]),
    [
      [1, 'aborted'],
      [2, 'summed'],
    ],
  );
});

test('a client that holds another contract spoils no sum: it is not in any', async (t) => {
  const federation = await TestFederation.open(t, {
    clients: 4,
    terms: { ...PLAIN, rounds: { count: 1, longestMs: 1_500 } },
  });
  const { clients, terms } = federation;
  const other = { ...terms, figures: undefined };
  const [end, first] = await Promise.all([
    federation.aggregator().run(new AbortController().signal),
    ...clients.map((client) => client.run(undefined, client.member === 3 ? { terms: other } : {})),
  ]);
  assert.equal(end, 'finished');
  const expected = expectedModel(terms.parameters, [0, 1, 2], 1);
  assertNear(typeof first === 'object' && first.outcome === 'finished' ? first.model : undefined, expected);
});
