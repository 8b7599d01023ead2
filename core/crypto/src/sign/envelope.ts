import { canonicalBytes, fromUtf8, utf8, type Brand, type Json } from '@ringfence/base';
import { CryptoError } from '../crypto-error.ts';
import { sha256Hex, type Digest } from '../digest.ts';
import { keyIdOf, type KeyId } from './key-fingerprint.ts';
import {
  signOwnEncoding,
  signOwnEncodingAside,
  verifyMessage,
  type SigningKey,
  type SigningPublicKey,
} from './signing-key.ts';

/** What kind of statement an envelope carries; the media type is part of what is signed. */
export type StatementType = `application/vnd.ringfence.${string}.v${number}+json` | 'application/vnd.in-toto+json';

/** A signed statement (DSSE v1, github.com/secure-systems-lab/dsse); `payload` and `sig` are padded base64 (RFC 4648 §4). */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: string;
  readonly signatures: readonly EnvelopeSignature[];
}

/** One signature of an {@link Envelope}; `keyid` only says which key to try. */
export interface EnvelopeSignature {
  readonly keyid: string;
  readonly sig: string;
}

/** Bytes of a verified statement: canonical JSON, signed as its payload type. */
export type StatementBytes = Brand<Uint8Array, 'StatementBytes'>;

/** DSSE's pre-authentication encoding of a payload and its type (protocol.md, "PAE"). */
export function preAuthenticationEncoding(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = utf8(payloadType);
  return Buffer.concat([utf8(`DSSEv1 ${type.length} `), type, utf8(` ${payload.length} `), payload]);
}

/** `body` in canonical form, signed by each of `keys`. */
export function signEnvelope(payloadType: StatementType, body: Json, keys: readonly SigningKey[]): Envelope {
  const payload = canonicalBytes(body);
  const message = preAuthenticationEncoding(payloadType, payload);
  const signatures = keys.map((key) => ({
    keyid: keyIdOf(key.publicKey),
    sig: toBase64(signOwnEncoding(key, message)),
  }));
  return { payloadType, payload: toBase64(payload), signatures };
}

/** A statement whose digest is there at once, and its envelope when it is signed. */
export interface SignedAside {
  readonly digest: Digest;
  readonly envelope: Promise<Envelope>;
}

/** What {@link signEnvelope} makes with one key, signed on another thread of this process: for who signs many. */
export function signEnvelopeAside(payloadType: StatementType, body: Json, key: SigningKey): SignedAside {
  const payload = canonicalBytes(body);
  const message = preAuthenticationEncoding(payloadType, payload);
  const signed = async (): Promise<Envelope> => {
    const sig = toBase64(await signOwnEncodingAside(key, message));
    return { payloadType, payload: toBase64(payload), signatures: [{ keyid: keyIdOf(key.publicKey), sig }] };
  };
  return { digest: sha256Hex(payload), envelope: signed() };
}

/**
 * The payload bytes of `envelope`, once `threshold` different keys of `publicKeys` have signed it as a `payloadType`.
 * A key counts once however often it stands in either list. Throws CryptoError `bad-signature`, or `not-canonical` when
 * the signatures are good and the payload is not canonical JSON.
 */
export function verifyEnvelope(
  envelope: Envelope,
  payloadType: StatementType,
  publicKeys: readonly SigningPublicKey[],
  threshold = 1,
): StatementBytes {
  if (!Number.isSafeInteger(threshold) || threshold < 1) throw new RangeError('a threshold is a positive integer');
  if (envelope.payloadType !== payloadType) throw badSignature();
  const payload = fromBase64(envelope.payload);
  const message = preAuthenticationEncoding(payloadType, payload);
  const signers = new Map<KeyId, SigningPublicKey>(publicKeys.map((key) => [keyIdOf(key), key]));
  let count = 0;
  for (const [id, key] of signers) {
    const signed = envelope.signatures.some(
      ({ keyid, sig }) => keyid === id && verifyMessage(key, message, fromBase64(sig)),
    );
    if (signed) count += 1;
  }
  if (count < threshold) throw badSignature();
  if (!isCanonical(payload)) throw new CryptoError('not-canonical', 'the signed payload is not canonical JSON');
  return payload as StatementBytes;
}

/** SHA-256 of the payload bytes: the name by which other statements refer to this one, whoever signed it. */
export function statementDigest(envelope: Envelope): Digest {
  return sha256Hex(fromBase64(envelope.payload));
}

function badSignature(): CryptoError {
  return new CryptoError('bad-signature', 'the statement is not signed by enough of the expected keys');
}

function isCanonical(payload: Uint8Array): boolean {
  try {
    return Buffer.compare(canonicalBytes(JSON.parse(fromUtf8(payload))), payload) === 0;
  } catch {
    return false;
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** Canonical padded base64 only, so that one statement has one spelling. */
function fromBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw badSignature();
  return bytes;
}
