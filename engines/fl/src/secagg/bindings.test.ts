// What signatures, keys and masks of a round are bound to: none of them is good in another round, attempt, roster or direction.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { Secret, seededRng, toHex } from '@ringfence/base';
import { rawPublicKey, x25519PrivateKey } from '@ringfence/crypto/key-agreement';
import { AttackedNetwork } from './attack.fixture.ts';
import { isDealing, signDealing } from './dealing.ts';
import { encodeFrame } from './frames.ts';
import { identityOf, sampleRound } from './network.fixture.ts';
import { maskContext } from './round-secrets.ts';
import { MOST_ATTEMPTS } from './round.ts';
import { openLetter, sealLetter } from './share-letter.ts';
import { isConsent, signConsent } from './survivors.ts';

const rng = seededRng('bindings');
const round = sampleRound(3);
const [root, context, other] = [rng.bytes(32), rng.bytes(32), rng.bytes(32)];
const identity = identityOf('0');

test('masks are of one round, one attempt and one roster', () => {
  const hash = createHash('sha256').update('ringfence/secagg/v1 context\0').update(round.digest);
  assert.equal(toHex(maskContext(round, 3, root)), hash.update(Uint8Array.of(3)).update(root).digest('hex'));
});

test('a consent and a dealing are of one context', () => {
  const sets = { alive: Uint8Array.of(7), dropped: Uint8Array.of(0) };
  const consent = signConsent(context, sets, identity);
  assert.ok(isConsent(context, sets, identity.publicKey, consent));
  assert.ok(!isConsent(other, sets, identity.publicKey, consent));
  const dealing = { seedCommitment: rng.bytes(32), dealt: rng.bytes(99) };
  const signature = signDealing(context, dealing, identity);
  assert.ok(isDealing(context, dealing, identity.publicKey, signature));
  assert.ok(!isDealing(other, dealing, identity.publicKey, signature));
});

test('a letter is for one neighbour, from one, in one context', () => {
  const [sender, receiver] = [x25519PrivateKey(rng.bytes(32)), x25519PrivateKey(rng.bytes(32))];
  const share = () => ({ index: 2, value: new Secret(rng.bytes(32)), salt: rng.bytes(32) });
  const pair = { self: share(), key: share() };
  const dealt = sealLetter({ context, from: 1, to: 4, own: sender, peer: rawPublicKey(receiver) }, pair);
  const route = { context, from: 1, to: 4, own: receiver, peer: rawPublicKey(sender) };
  assert.equal(toHex(openLetter(route, dealt, 2).key.value.expose()), toHex(pair.key.value.expose()));
  for (const wrong of [{ context: other }, { from: 2 }, { to: 5 }])
    assert.throws(() => openLetter({ ...route, ...wrong }, dealt, 2), { code: 'bad-share' });
});

test('a client draws a graph no more often than a round may', () => {
  for (const [attempt, code] of [
    [MOST_ATTEMPTS - 1, undefined],
    [MOST_ATTEMPTS, 'too-many-attempts'],
  ] as const) {
    const network = AttackedNetwork.until('roster', 1);
    const frame = encodeFrame({ round: round.round, attempt, body: { kind: 'again' } });
    network.client(1, { kind: 'frame', frame });
    assert.equal(network.house(1).code, code);
  }
});
