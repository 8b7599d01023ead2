import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { signStatement } from '@ringfence/keyring';
import type { RoundAnswer } from '@ringfence/protocol/payload';
import { assertNear, expectedModel, PLAIN, TestFederation } from './federation.fixture.ts';

test('three clients train three rounds and each gets the model of all', async (t) => {
  const federation = await TestFederation.open(t);
  const { clients, terms } = federation;
  const never = new AbortController().signal;
  const [end, ...ends] = await Promise.all([
    federation.aggregator().run(never),
    ...clients.map((client) => client.run()),
  ]);
  assert.equal(end, 'finished');
  const expected = expectedModel(terms.parameters, [0, 1, 2], 3);
  for (const client of ends) {
    assert.equal(client.outcome, 'finished');
    assertNear(client.outcome === 'finished' ? client.model : undefined, expected);
  }
  assert.equal(federation.transcripts.length, 3);
  for (const { reports, leaves, agent } of clients) {
    assert.deepEqual(leaves, [1, 2, 3]);
    assert.deepEqual(
      reports.map(([round]) => round),
      [1, 2, 3],
    );
    const [, report] = reports[0] ?? assert.fail();
    assert.equal(report.outcome, 'summed');
    assert.ok(report.survivors.includes(agent) && report.survivors.length === 3);
    assert.equal(report.examples, 600);
    // (100 · 1 + 200 · 1/2 + 300 · 1/3) / 600
    assert.ok(Math.abs((report.metrics?.['loss'] ?? 0) - 0.5) < 1e-3);
  }
});

test('an aggregator that is killed goes on from its checkpoint, the round under way burned', async (t) => {
  const federation = await TestFederation.open(t);
  const { clients } = federation;
  const killed = new AbortController();
  const fault = (point: string): void => {
    // Its second round has begun.
    if (point === 'federation-after-burn' && federation.transcripts.length === 1) killed.abort();
  };
  const lives = async (): Promise<unknown> => {
    assert.equal(await federation.aggregator({ fault }).run(killed.signal), 'aborted');
    return federation.aggregator().run(new AbortController().signal);
  };
  const [end, ...ends] = await Promise.all([lives(), ...clients.map((client) => client.run())]);
  assert.equal(end, 'finished');
  const expected = expectedModel(federation.terms.parameters, [0, 1, 2], 3);
  for (const client of ends) assertNear(client.outcome === 'finished' ? client.model : undefined, expected);
  assert.equal(federation.transcripts.length, 3);
  assert.deepEqual(
    clients[0]?.reports.flatMap(([round, { outcome }]) => (outcome === 'summed' ? [round] : [])),
    [1, 3, 4],
  );
});

test('a client that its custodian gives no leave ends, and the others wait for it without burning a round', async (t) => {
  const federation = await TestFederation.open(t);
  const { clients } = federation;
  const over = new AbortController();
  const running = [
    federation.aggregator().run(over.signal),
    ...clients.slice(0, 2).map((client) => client.run(over.signal)),
  ];
  const refused: RoundAnswer = { result: 'refused', reason: 'budget', checks: ['epsilon'] };
  const end = await clients[2]?.run(over.signal, { leave: () => Promise.resolve(refused) });
  assert.deepEqual(end, { outcome: 'ended', reason: 'budget' });
  await until(() => federation.said.includes('round 1: too few are ready'));
  assert.equal(federation.checkpoint.read(), undefined);
  over.abort();
  assert.deepEqual(
    (await Promise.allSettled(running)).map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected'],
  );
});

test('a withdrawal that a client hands on ends the federation before the next round', async (t) => {
  const federation = await TestFederation.open(t);
  const { clients, sample, terms, clock } = federation;
  const { organisation, device } = sample.clients[2] ?? assert.fail();
  const body = { v: 1, org: organisation.org, device: device.id, contract: terms.digest, at: clock.now() } as const;
  const withdrawal = signStatement('contract-withdrawal', body, [device.sign]);
  const leave = (round: number): Promise<RoundAnswer> =>
    Promise.resolve(
      round === 1
        ? { result: 'leave', round, notAfter: epochMs(clock.now() + 60_000) }
        : { result: 'refused', reason: 'withdrawn', checks: [], withdrawals: [withdrawal] },
    );
  const [end, first, second, third] = await Promise.all([
    federation.aggregator().run(new AbortController().signal),
    clients[0]?.run(),
    clients[1]?.run(),
    clients[2]?.run(undefined, { leave }),
  ]);
  assert.equal(end, 'withdrawn');
  for (const other of [first, second]) assert.deepEqual(other, { outcome: 'ended', reason: 'withdrawn' });
  assert.deepEqual(third, { outcome: 'ended', reason: 'withdrawn' });
  assert.equal(federation.transcripts.length, 1);
});

test('a client whose state is of an old copy begins no round anew', async (t) => {
  const federation = await TestFederation.open(t, { terms: { ...PLAIN, rounds: { count: 1, longestMs: 1_500 } } });
  const { clients } = federation;
  const over = new AbortController();
  // Its journal says that it answered in a later round than its aggregator, set back, announces.
  const third = clients[2] ?? assert.fail();
  third.sequence = 5_000;
  const running = [federation.aggregator().run(over.signal), ...clients.map((client) => client.run(over.signal))];
  await until(() => federation.said.some((line) => line.endsWith('takes no part: replayed-round')));
  over.abort();
  await Promise.allSettled(running);
  assert.equal(third.sequence, 5_000);
  assert.equal(federation.transcripts.length, 0);
});

test('a round that too few were ready for is announced again, and nobody trains or is debited twice for it', async (t) => {
  const federation = await TestFederation.open(t, { terms: { ...PLAIN, rounds: { count: 1, longestMs: 20_000 } } });
  const { clients, clock, terms } = federation;
  const trained: number[] = [];
  let paused = true;
  const [end, first] = await Promise.all([
    federation.aggregator().run(new AbortController().signal),
    ...clients.map((client) =>
      client.run(undefined, {
        train: ({ round }) => {
          trained.push(round);
          return Promise.resolve(TestFederation.update(client.member, terms.parameters));
        },
        ...(client.member === 2
          ? {
              leave: (round): Promise<RoundAnswer> => {
                const refused: RoundAnswer = { result: 'refused', reason: 'paused', checks: [] };
                const leave: RoundAnswer = { result: 'leave', round, notAfter: epochMs(clock.now() + 60_000) };
                const answer = paused ? refused : leave;
                paused = false;
                return Promise.resolve(answer);
              },
            }
          : {}),
      }),
    ),
  ]);
  assert.equal(end, 'finished');
  assert.deepEqual(trained, [1, 1, 1]);
  assert.deepEqual(clients[0]?.leaves, [1]);
  const expected = expectedModel(terms.parameters, [0, 1, 2], 1);
  assertNear(typeof first === 'object' && first.outcome === 'finished' ? first.model : undefined, expected);
});
