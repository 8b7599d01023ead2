import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@ringfence/base';
import { until } from '@ringfence/base/until';
import { sha256Hex } from '@ringfence/crypto/sign';
import type { RoundAnswer } from '@ringfence/protocol/payload';
import { TestFederation } from '../federation.fixture.ts';
import type { FederationMessage } from '../transport/federation-message.ts';
import { toldLine } from './told-line.fixture.ts';

const begin: FederationMessage = { kind: 'begin', round: 1 };

async function open(t: Parameters<typeof TestFederation.open>[0]) {
  const federation = await TestFederation.open(t);
  const model = { digest: sha256Hex(new Uint8Array(4)), bytes: federation.terms.parameters * 4 };
  const announce: FederationMessage = { kind: 'announce', round: 1, model };
  return { client: federation.clients[0] ?? assert.fail(), announce };
}

test('a round that is begun twice while its leave is asked for again is begun once', async (t) => {
  const { client, announce } = await open(t);
  const { line, sent } = toldLine([announce, begin, begin]);
  const over = new AbortController();
  const again: ((answer: RoundAnswer) => void)[] = [];
  let asked = 0;
  const running = client.run(over.signal, {
    line,
    leave: (round) => {
      asked += 1;
      // The first has run out when the round begins.
      if (asked === 1) return Promise.resolve({ result: 'leave', round, notAfter: epochMs(0) });
      return new Promise((resolve) => again.push(resolve));
    },
  });
  await until(() => again.length === 2);
  for (const answer of again) answer({ result: 'leave', round: 1, notAfter: epochMs(Number.MAX_SAFE_INTEGER) });
  await until(() => sent.length === 3);
  assert.equal(sent.filter(({ kind }) => kind === 'frame').length, 1);
  assert.deepEqual(
    sent.filter(({ kind }) => kind === 'decline'),
    [{ kind: 'decline', round: 1, reason: 'not-ready' }],
  );
  over.abort();
  await assert.rejects(running);
});

test('a client that comes back begins no round that it answered in before', async (t) => {
  const { client, announce } = await open(t);
  for (const [kind, reason] of [['frame'], ['decline', 'replayed-round']] as const) {
    const { line, sent } = toldLine([announce, begin]);
    const over = new AbortController();
    const running = client.run(over.signal, { line });
    await until(() => sent.length === 2);
    const [, answer] = sent;
    assert.equal(answer?.kind, kind);
    assert.equal(answer.kind === 'decline' ? answer.reason : undefined, reason);
    over.abort();
    await assert.rejects(running);
  }
});
