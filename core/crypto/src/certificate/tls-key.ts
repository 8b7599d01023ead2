import { createPublicKey, X509Certificate, type KeyObject } from 'node:crypto';
import { fromBase64Url, Secret, utf8, type Brand, type Rng } from '@ringfence/base';
import { ed25519PrivateKey, ed25519Raw } from '../ed25519-key-object.ts';
import { isEd25519Point } from '../ed25519-point.ts';

/** The Ed25519 public key of a TLS identity: 32 raw bytes in base64url; never a {@link SigningPublicKey}. */
export type TlsPublicKey = Brand<string, 'TlsPublicKey'>;

/** The key that `text` spells; undefined unless it is canonical base64url of 32 bytes of a point of large order. */
export function parseTlsPublicKey(text: string): TlsPublicKey | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  try {
    return isEd25519Point(fromBase64Url(text)) ? (text as TlsPublicKey) : undefined;
  } catch {
    return undefined;
  }
}

/** The Ed25519 key of a TLS identity; it authenticates links and signs nothing else. */
export class TlsKey {
  readonly publicKey: TlsPublicKey;
  readonly #seed: Secret;
  readonly #key: KeyObject;

  private constructor(seed: Secret) {
    this.#seed = seed;
    this.#key = ed25519PrivateKey(seed);
    this.publicKey = ed25519Raw(createPublicKey(this.#key)) as TlsPublicKey;
  }

  /** A fresh key. */
  static generate(rng: Rng): TlsKey {
    return new TlsKey(new Secret(rng.bytes(32)));
  }

  /** The key of a stored 32-byte seed, which it copies; throws CryptoError `bad-key` for another length. */
  static fromSeed(seed: Secret): TlsKey {
    return new TlsKey(new Secret(Uint8Array.from(seed.expose())));
  }

  /** The 32-byte seed, for storage at rest; a copy that the caller may wipe. */
  seed(): Secret {
    return new Secret(Uint8Array.from(this.#seed.expose()));
  }

  /** PKCS #8 in PEM, as node:tls takes it. */
  privateKeyPem(): Secret {
    return new Secret(utf8(this.#key.export({ format: 'pem', type: 'pkcs8' }).toString()));
  }
}

/**
 * The identity that a peer's certificate (DER or parsed) carries; undefined when it is no readable certificate of an
 * Ed25519 key. TLS has proven that the peer holds the key; everything else in the certificate is its own claim.
 */
export function tlsPublicKeyOf(certificate: Uint8Array | X509Certificate): TlsPublicKey | undefined {
  try {
    const parsed = certificate instanceof X509Certificate ? certificate : new X509Certificate(certificate);
    const raw = ed25519Raw(parsed.publicKey);
    return raw === undefined ? undefined : parseTlsPublicKey(raw);
  } catch {
    return undefined;
  }
}
