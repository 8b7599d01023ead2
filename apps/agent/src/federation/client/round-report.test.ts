import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '@ringfence/base';
import { systemClock } from '@ringfence/base/platform';
import { PLAIN, TestFederation } from '../federation.fixture.ts';
import { AggregatorLine } from '../transport/aggregator-line.ts';
import { readMessage, writeMessage } from '../transport/federation-message.ts';

test('a sum that a client helped to open is one, though its aggregator says that the round was given up', async (t) => {
  const federation = await TestFederation.open(t, { terms: { ...PLAIN, rounds: { count: 1, longestMs: 20_000 } } });
  const { clients, terms } = federation;
  const lied = clients[0] ?? assert.fail();
  const agent = federation.dial(lied.link);
  const line = async (signal: AbortSignal) => {
    const options = { agent, contract: terms.digest, clock: systemClock, log: silentLog, patience: 20_000 };
    const honest = await AggregatorLine.begin(options, signal);
    return {
      send: honest.send.bind(honest),
      model: honest.model.bind(honest),
      next: async (of: AbortSignal) => {
        const bytes = await honest.next(of);
        const message = readMessage(bytes);
        return message?.kind === 'over'
          ? writeMessage({ kind: 'over', round: message.round, outcome: 'aborted', reason: 'too-few' })
          : bytes;
      },
    };
  };
  await Promise.all([
    federation.aggregator().run(new AbortController().signal),
    ...clients.map((client) => client.run(undefined, client === lied ? { line } : {})),
  ]);
  assert.deepEqual(
    lied.reports.map(([round, { outcome }]) => [round, outcome]),
    [[1, 'summed']],
  );
});
