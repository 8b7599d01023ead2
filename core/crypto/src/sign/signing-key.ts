import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { fromBase64Url, Secret, utf8, type Brand, type Rng } from '@ringfence/base';
import { ed25519PrivateKey, ed25519PublicKey, ed25519Raw } from '../ed25519-key-object.ts';
import { isEd25519Point } from '../ed25519-point.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { SignatureDomain } from './signature-domain.ts';

/** An Ed25519 public key that checks signatures: 32 raw bytes in base64url. */
export type SigningPublicKey = Brand<string, 'SigningPublicKey'>;

/** The public key that `text` spells; undefined unless it is canonical base64url of 32 bytes of a point of large order. */
export function parseSigningPublicKey(text: string): SigningPublicKey | undefined {
  if (!/^[A-Za-z0-9_-]{43}$/.test(text)) return undefined;
  try {
    return isEd25519Point(fromBase64Url(text)) ? (text as SigningPublicKey) : undefined;
  } catch {
    return undefined;
  }
}

let signMessage: (key: SigningKey, message: Uint8Array) => Uint8Array;
let signMessageAside: (key: SigningKey, message: Uint8Array) => Promise<Uint8Array>;

/** An Ed25519 key that signs (RFC 8032). Its seed leaves only through {@link SigningKey.seed}. */
export class SigningKey {
  readonly publicKey: SigningPublicKey;
  readonly #seed: Secret;
  readonly #key: KeyObject;

  private constructor(seed: Secret) {
    this.#seed = seed;
    this.#key = ed25519PrivateKey(seed);
    this.publicKey = ed25519Raw(createPublicKey(this.#key)) as SigningPublicKey;
  }

  static {
    signMessage = (key, message) => sign(null, message, key.#key);
    signMessageAside = (key, message) =>
      new Promise((resolve, reject) => {
        sign(null, message, key.#key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
      });
  }

  /** A fresh key. */
  static generate(rng: Rng): SigningKey {
    return new SigningKey(new Secret(rng.bytes(32)));
  }

  /** The key of a stored 32-byte seed, which it copies; throws CryptoError `bad-key` for another length. */
  static fromSeed(seed: Secret): SigningKey {
    return new SigningKey(new Secret(Uint8Array.from(seed.expose())));
  }

  /** The 32-byte seed, for storage at rest; a copy that the caller may wipe. */
  seed(): Secret {
    return new Secret(Uint8Array.from(this.#seed.expose()));
  }

  /** The 64-byte signature of `bytes` for one purpose. */
  sign(domain: SignatureDomain, bytes: Uint8Array): Uint8Array {
    return signMessage(this, separated(domain, bytes));
  }
}

/** Whether `signature` is `publicKey`'s over `bytes` for this purpose; never throws. */
export function verifySignature(
  publicKey: SigningPublicKey,
  domain: SignatureDomain,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyMessage(publicKey, separated(domain, bytes), signature);
}

/** Signs bytes that carry their own purpose (DSSE's pre-authentication encoding); not exported from the package. */
export function signOwnEncoding(key: SigningKey, message: Uint8Array): Uint8Array {
  return signMessage(key, message);
}

/** The same on another thread of this process; not exported from the package. */
export function signOwnEncodingAside(key: SigningKey, message: Uint8Array): Promise<Uint8Array> {
  return signMessageAside(key, message);
}

/** Counterpart of {@link signOwnEncoding}; not exported from the package. */
export function verifyMessage(publicKey: SigningPublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, message, keyObjectOf(publicKey), signature);
}

/** No tag contains a zero byte, so tag, zero byte and message parse in one way only. */
function separated(domain: SignatureDomain, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([prefixOf(domain), bytes]);
}

const prefixes = new Map<SignatureDomain, Uint8Array>();

function prefixOf(domain: SignatureDomain): Uint8Array {
  const known = prefixes.get(domain);
  if (known !== undefined) return known;
  const made = utf8(`${domain}\0`);
  prefixes.set(domain, made);
  return made;
}

const publicKeyObjects = new BoundedCache<SigningPublicKey, KeyObject>(4096);

function keyObjectOf(publicKey: SigningPublicKey): KeyObject {
  return publicKeyObjects.get(publicKey, () => ed25519PublicKey(fromBase64Url(publicKey)));
}
