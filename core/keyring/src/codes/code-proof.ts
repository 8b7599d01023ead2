import { canonicalBytes, fromBase64Url, toBase64Url, type Secret } from '@ringfence/base';
import type { TlsPublicKey } from '@ringfence/crypto/certificate';
import { checkProof, proveCode } from '@ringfence/crypto/sign';

/** The messages that carry a proof of a code's secret; the name is part of what is proven, so no proof serves twice. */
export const PROOF_MESSAGES = [
  'join-request',
  'join-answer',
  'claim-keys-request',
  'claim-keys-answer',
  'claim-request',
  'registration-request',
  'registration-answer',
] as const;

/** What a proof covers. */
export interface ProofTranscript {
  readonly message: (typeof PROOF_MESSAGES)[number];
  /** TLS keys of both ends of the payload link; null where the message goes over the control plane's HTTPS. */
  readonly link: { readonly client: TlsPublicKey; readonly server: TlsPublicKey } | null;
  /** All fields of the message but the proof. */
  readonly body: object;
}

/** Proof of knowing a code's secret, bound to one message on one link: HMAC-SHA-256, 32 bytes in base64url. */
export function codeProof(secret: Secret, transcript: ProofTranscript): string {
  return toBase64Url(proveCode(secret, bytesOf(transcript)));
}

/** Whether `proof` is {@link codeProof}'s, compared in constant time; any text may be asked about. */
export function checkCodeProof(secret: Secret, transcript: ProofTranscript, proof: string): boolean {
  const expected = bytesOf(transcript);
  const given = decoded(proof);
  return given !== undefined && checkProof(secret, expected, given);
}

function decoded(proof: string): Uint8Array | undefined {
  try {
    return fromBase64Url(proof);
  } catch {
    return undefined;
  }
}

function bytesOf({ message, link, body }: ProofTranscript): Uint8Array {
  if (Object.hasOwn(body, 'proof')) throw new TypeError('a proof cannot cover itself');
  return canonicalBytes({ v: 1, message, link, body });
}
