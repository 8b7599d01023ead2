import { concatBytes, fromBase64Url, toBase64Url, utf8 } from '@ringfence/base';
import type { TlsKey } from '@ringfence/crypto/certificate';
import { parseSigningPublicKey, SigningKey, verifySignature } from '@ringfence/crypto/sign';
import { relayAddressOf, type RelayAddress } from './address.ts';
import type { ListenProof, RelayChallenge } from './message.ts';

/**
 * What a proof is about. `host` is `name:port` as the *listener* dialled it and as the relay is configured to be called:
 * a relay that passes on another relay's challenge gets a signature that the other one refuses.
 */
export interface ListenOccasion {
  readonly challenge: RelayChallenge;
  readonly host: string;
}

/**
 * The listener's proof that it holds the TLS identity key `key`. The domain tag keeps it apart from TLS, whose signed
 * bytes begin with 64 spaces (RFC 8446 §4.4.3).
 */
export function proveListener(key: TlsKey, occasion: ListenOccasion): ListenProof {
  using seed = key.seed();
  const signature = SigningKey.fromSeed(seed).sign('ringfence/relay/v1', signedBytes(occasion));
  return { type: 'proof', public_key: key.publicKey, signature: toBase64Url(signature) };
}

/** Whether `proof` shows possession of its key on this occasion; if so, the address that the key may listen on. */
export function checkListenProof(
  proof: ListenProof,
  occasion: ListenOccasion,
): { allow: true; address: RelayAddress } | { allow: false; reasons: readonly ['bad-key' | 'bad-signature'] } {
  const key = parseSigningPublicKey(proof.public_key);
  if (key === undefined) return { allow: false, reasons: ['bad-key'] };
  const holds = verifySignature(key, 'ringfence/relay/v1', signedBytes(occasion), fromBase64Url(proof.signature));
  if (!holds) return { allow: false, reasons: ['bad-signature'] };
  return { allow: true, address: relayAddressOf(proof.public_key) };
}

/** The challenge has a fixed length, so challenge and host parse in one way only. */
function signedBytes(occasion: ListenOccasion): Uint8Array {
  return concatBytes(fromBase64Url(occasion.challenge), utf8(occasion.host));
}
