import { createHmac } from 'node:crypto';
import { equalBytes, utf8, type Secret } from '@ringfence/base';

const DOMAIN = utf8('ringfence/join-proof/v1\0');

/** Proof of knowing a join code's secret, bound to `transcript`: HMAC-SHA-256 (RFC 2104), 32 bytes. */
export function proveCode(secret: Secret, transcript: Uint8Array): Uint8Array {
  return createHmac('sha256', secret.expose()).update(DOMAIN).update(transcript).digest();
}

/** Whether `proof` is {@link proveCode}'s for this secret and transcript, compared in constant time. */
export function checkProof(secret: Secret, transcript: Uint8Array, proof: Uint8Array): boolean {
  return equalBytes(proveCode(secret, transcript), proof);
}
