import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromBase64Url, seededRng, toBase64Url } from '@ringfence/base';
import { TlsKey, type TlsPublicKey } from '@ringfence/crypto/certificate';
import { relayAddressOf } from './address.ts';
import { checkListenProof, proveListener } from './listen-proof.ts';
import { newRelayChallenge } from './message.ts';

const rng = seededRng('listen-proof');
const key = TlsKey.generate(rng);
const occasion = { challenge: newRelayChallenge(rng), host: 'relay.test:443' };
const proof = proveListener(key, occasion);

test('a proof gives the address of its key', () => {
  assert.deepEqual(checkListenProof(proof, occasion), { allow: true, address: relayAddressOf(key.publicKey) });
});

test("a proof for another challenge, another relay or with another's key is refused", () => {
  const refused = { allow: false, reasons: ['bad-signature'] };
  assert.deepEqual(checkListenProof(proof, { ...occasion, challenge: newRelayChallenge(rng) }), refused);
  assert.deepEqual(checkListenProof(proof, { ...occasion, host: 'relay.test:444' }), refused);
  const other = TlsKey.generate(rng).publicKey;
  assert.deepEqual(checkListenProof({ ...proof, public_key: other }, occasion), refused);
  // The identity point verifies a crafted signature over anything (RFC 8032 leaves it to the verifier).
  const identityPoint = toBase64Url(Uint8Array.of(1, ...new Uint8Array(31))) as TlsPublicKey;
  const crafted = {
    ...proof,
    public_key: identityPoint,
    signature: toBase64Url(Uint8Array.of(1, ...new Uint8Array(63))),
  };
  assert.deepEqual(checkListenProof(crafted, occasion), { allow: false, reasons: ['bad-key'] });
});

test('a proof with any bit changed is refused', () => {
  for (let bit = 0; bit < 512; bit += 1) {
    const signature = Uint8Array.from(fromBase64Url(proof.signature));
    signature[bit >> 3] = (signature[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(
      checkListenProof({ ...proof, signature: toBase64Url(signature) }, occasion).allow,
      false,
      `bit ${bit}`,
    );
  }
});
