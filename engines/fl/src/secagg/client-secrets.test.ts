// What a client drew or holds of others is destroyed as soon as the round has no more use for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '@ringfence/base';
import { AttackedNetwork } from './attack.fixture.ts';
import { encodeFrame } from './frames.ts';
import { ROUND_SECRETS } from './round-secrets.ts';

/** The secrets that a client draws for itself, and the shares that it holds of its neighbours. */
function secretsOf(network: AttackedNetwork, member: number): { own: Secret[]; held: Secret[] } {
  const state = network.house(member).state ?? assert.fail();
  const own = ROUND_SECRETS.map((name) => state.secrets[name]);
  const held = state.live.flatMap((peer) =>
    peer.held === undefined ? [] : [peer.held.self.value, peer.held.key.value],
  );
  for (const secret of [...own, ...held]) assert.equal(secret.wiped, false);
  return { own, held };
}

function assertWiped(network: AttackedNetwork, member: number, secrets: readonly Secret[]): void {
  for (const secret of secrets) {
    assert.equal(secret.wiped, true);
    assert.ok(secret.expose().every((byte) => byte === 0));
  }
  assert.deepEqual(network.house(member).state?.live, []);
}

test('a client that answers destroys the shares it holds, and all else when the round is over', () => {
  const network = AttackedNetwork.until('unmask', 1);
  const { own, held } = secretsOf(network, 1);
  assert.equal(held.length, 6);
  network.deliver(1, 'down');
  assertWiped(network, 1, held);
  network.run();
  assertWiped(network, 1, own);
});

test('a client that was not asked for shares destroys them when the round is over', () => {
  const network = AttackedNetwork.until('unmask', 1, 6);
  const { own, held } = secretsOf(network, 1);
  assert.equal(held.length, 10);
  network.house(1).down.length = 0;
  network.run();
  assert.equal(network.house(1).state?.phase, 'finished');
  assertWiped(network, 1, [...own, ...held]);
});

test('a client that leaves destroys everything', () => {
  const network = AttackedNetwork.until('unmask', 1);
  const { own, held } = secretsOf(network, 1);
  network.client(1, { kind: 'stop' });
  assertWiped(network, 1, [...own, ...held]);
});

test('a client that begins an attempt anew destroys what it drew before', () => {
  const network = AttackedNetwork.until('roster', 1);
  const { own } = secretsOf(network, 1);
  network.client(1, {
    kind: 'frame',
    frame: encodeFrame({ round: network.round.round, attempt: 1, body: { kind: 'again' } }),
  });
  assert.equal(network.house(1).state?.attempt, 1);
  assertWiped(network, 1, own);
  secretsOf(network, 1);
});
