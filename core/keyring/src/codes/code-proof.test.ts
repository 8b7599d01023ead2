import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { newId, Secret, seededRng } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { SigningKey } from '@ringfence/crypto/sign';
import fc from 'fast-check';
import { checkCodeProof, codeProof, PROOF_MESSAGES, type ProofTranscript } from './code-proof.ts';

const rng = seededRng('proof');
const tls = () => SigningKey.generate(rng).publicKey as unknown as TlsPublicKey;
const secret = new Secret(rng.bytes(16));
const link = { client: tls(), server: tls() };
const body = { code: newId('joinCode', rng), keys: { sign: tls(), tls: link.client, allowProcess: false } };
const transcript: ProofTranscript = { message: 'join-request', link, body };
const proof = codeProof(secret, transcript);

describe('a proof of a code', () => {
  it('is HMAC-SHA-256 over the domain, and the canonical transcript', () => {
    const sorted = `{"body":{"code":"${body.code}","keys":{"allowProcess":false,"sign":"${body.keys.sign}","tls":"${body.keys.tls}"}},"link":{"client":"${link.client}","server":"${link.server}"},"message":"join-request","v":1}`;
    const expected = createHmac('sha256', secret.expose())
      .update(`ringfence/join-proof/v1\0${sorted}`)
      .digest('base64url');
    assert.equal(proof, expected);
    assert.equal(checkCodeProof(secret, transcript, proof), true);
  });

  it('fits no other secret, message, link, key or direction', () => {
    const others: ProofTranscript[] = [
      ...PROOF_MESSAGES.filter((message) => message !== 'join-request').map((message) => ({ ...transcript, message })),
      { ...transcript, link: null },
      { ...transcript, link: { client: link.server, server: link.client } },
      { ...transcript, link: { ...link, server: tls() } },
      { ...transcript, body: { ...body, code: newId('joinCode', rng) } },
      { ...transcript, body: { ...body, keys: { ...body.keys, sign: tls() } } },
      { ...transcript, body: { ...body, keys: { ...body.keys, allowProcess: true } } },
      { ...transcript, body: { ...body, more: 1 } },
    ];
    for (const other of others) assert.equal(checkCodeProof(secret, other, proof), false, JSON.stringify(other));
    assert.equal(checkCodeProof(new Secret(rng.bytes(16)), transcript, proof), false);
  });

  it('is refused in any other spelling, and no text makes it throw', () => {
    for (const text of ['', `${proof}=`, proof.slice(1), `${proof}A`, proof.toUpperCase()]) {
      assert.equal(checkCodeProof(secret, transcript, text), false);
    }
    fc.assert(
      fc.property(fc.string(), (text) => !checkCodeProof(secret, transcript, text)),
      { numRuns: 2000 },
    );
  });

  it('never covers itself', () => {
    assert.throws(() => codeProof(secret, { ...transcript, body: { proof } }), TypeError);
  });
});
