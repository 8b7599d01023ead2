// Reads what the Python verifier's primitives gave and computes the same with node:crypto.
import assert from 'node:assert/strict';
import { createCipheriv, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';

const cases: Record<string, string>[] = JSON.parse(readFileSync(0, 'utf8'));
const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex');
const privateKey = (seed: string | undefined, asymmetricKeyType: 'ed25519' | 'x25519' | 'ml-kem-768') =>
  createPrivateKey({
    key: bytes(seed),
    format: asymmetricKeyType === 'ml-kem-768' ? 'raw-seed' : 'raw-private',
    asymmetricKeyType,
  });

for (const { what, seed, message, signature, public: made, key, nonce, aad, plain, sealed } of cases) {
  if (what === 'ed25519')
    assert.equal(sign(null, bytes(message), privateKey(seed, 'ed25519')).toString('hex'), signature);
  else if (what === 'gcm') {
    const cipher = createCipheriv('aes-256-gcm', bytes(key), bytes(nonce)).setAAD(bytes(aad));
    const text = Buffer.concat([cipher.update(bytes(plain)), cipher.final()]);
    assert.equal(Buffer.concat([text, cipher.getAuthTag()]).toString('hex'), sealed);
  } else {
    const own = createPublicKey(privateKey(seed, what === 'x25519' ? 'x25519' : 'ml-kem-768'));
    assert.equal(own.export({ format: 'raw-public' }).toString('hex'), made);
  }
}
process.stdout.write(`${cases.length} agree\n`);
