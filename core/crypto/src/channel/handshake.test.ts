import assert from 'node:assert/strict';
import { hkdfSync } from 'node:crypto';
import { test } from 'node:test';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import fc from 'fast-check';
import { concatBytes, seededRng, toHex, utf8 } from '@ringfence/base';
import { createInitiator, INITIATOR_SHARE_BYTES, respond, RESPONDER_SHARE_BYTES } from './handshake.ts';
import { rawPublicKey, x25519PrivateKey, x25519Secret } from '../key-agreement.ts';
import { openRecord, sealRecord } from './record-protection.ts';
import type { ChannelKeys, TrafficKey } from './traffic-key.ts';

const rng = seededRng('handshake');
const transcript = rng.bytes(32);
const hexOf = (key: TrafficKey): string => toHex(key.key.expose()) + toHex(key.iv);
const both = (keys: ChannelKeys): string[] => [hexOf(keys.initiatorToResponder), hexOf(keys.responderToInitiator)];

test('both sides get the same two keys, and another connection other ones', () => {
  const seen = new Set<string>();
  for (let run = 0; run < 20; run += 1) {
    const initiator = createInitiator(rng);
    const responder = respond(initiator.publicShare, rng);
    assert.equal(initiator.publicShare.length, INITIATOR_SHARE_BYTES);
    assert.equal(responder.share.length, RESPONDER_SHARE_BYTES);
    const keys = both(responder.finish(transcript));
    assert.deepEqual(both(initiator.finish(responder.share, transcript)), keys);
    for (const key of keys) seen.add(key);
  }
  assert.equal(seen.size, 40);
});

test('the schedule that docs/protocol/control-link.md prints, from the other side and by hand', () => {
  const initiator = createInitiator(rng);
  const x25519 = x25519PrivateKey(rng.bytes(32));
  const kem = ml_kem768.encapsulate(initiator.publicShare.subarray(32));
  const keys = initiator.finish(concatBytes(rawPublicKey(x25519), kem.cipherText), transcript);
  const ikm = concatBytes(kem.sharedSecret, x25519Secret(x25519, initiator.publicShare.subarray(0, 32)));
  const expected = ['party', 'control-plane'].map((sender) =>
    toHex(new Uint8Array(hkdfSync('sha256', ikm, transcript, utf8(`ringfence/control/v1 ${sender}`), 44))),
  );
  assert.deepEqual(both(keys), expected);
});

test('a changed transcript or share gives keys that open nothing, or an error', () => {
  const initiator = createInitiator(rng);
  const responder = respond(initiator.publicShare, rng);
  const sealed = sealRecord(responder.finish(transcript).responderToInitiator, 0, new Uint8Array(0), utf8('welcome'));
  const other = Uint8Array.from(transcript);
  other[0] = (other[0] ?? 0) ^ 1;
  const keys = initiator.finish(responder.share, other);
  assert.throws(() => openRecord(keys.responderToInitiator, 0, new Uint8Array(0), sealed), { code: 'cannot-open' });
  fc.assert(
    fc.property(fc.nat(RESPONDER_SHARE_BYTES - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
      // X25519 ignores the highest bit of a point (RFC 7748 §5); the transcript covers it all the same.
      fc.pre(at !== 31 || bit !== 7);
      const share = Uint8Array.from(responder.share);
      share[at] = (share[at] ?? 0) ^ (1 << bit);
      const broken = initiator.finish(share, transcript).responderToInitiator;
      assert.throws(() => openRecord(broken, 0, new Uint8Array(0), sealed), { code: 'cannot-open' });
    }),
    { numRuns: 500 },
  );
});

test('the two halves are both needed', () => {
  const initiator = createInitiator(rng);
  const [one, two] = [respond(initiator.publicShare, rng), respond(initiator.publicShare, rng)];
  const mixed = concatBytes(one.share.subarray(0, 32), two.share.subarray(32));
  const keys = hexOf(initiator.finish(mixed, transcript).initiatorToResponder);
  assert.notEqual(keys, hexOf(one.finish(transcript).initiatorToResponder));
  assert.notEqual(keys, hexOf(two.finish(transcript).initiatorToResponder));
});

test('a responder finishes once, and never with wiped secrets', () => {
  const responder = respond(createInitiator(rng).publicShare, rng);
  responder.finish(transcript);
  assert.throws(() => responder.finish(transcript), { code: 'bad-handshake' });
});

test('malformed shares are refused with one code', () => {
  const initiator = createInitiator(rng);
  for (const length of [0, 31, 32, INITIATOR_SHARE_BYTES - 1, INITIATOR_SHARE_BYTES + 1, 8192])
    assert.throws(() => respond(rng.bytes(length), rng), { code: 'bad-handshake' });
  for (const length of [0, 32, RESPONDER_SHARE_BYTES - 1, RESPONDER_SHARE_BYTES + 1])
    assert.throws(() => initiator.finish(rng.bytes(length), transcript), { code: 'bad-handshake' });
  const zeroPoint = concatBytes(new Uint8Array(32), initiator.publicShare.subarray(32));
  assert.throws(() => respond(zeroPoint, rng), { code: 'bad-handshake' });
});

test('random shares never end in another error', () => {
  let refused = 0;
  for (let run = 0; run < 2000; run += 1) {
    try {
      respond(rng.bytes(INITIATOR_SHARE_BYTES), rng);
    } catch (error) {
      assert.equal((error as { code?: unknown }).code, 'bad-handshake');
      refused += 1;
    }
  }
  assert.equal(refused, 2000, 'random bytes are practically never reduced coefficients');
});
