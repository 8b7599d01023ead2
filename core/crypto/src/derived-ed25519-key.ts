import { hkdfSync, type KeyObject } from 'node:crypto';
import { Secret } from '@ringfence/base';
import { ed25519PrivateKey } from './ed25519-key-object.ts';
import type { SigningKey } from './sign/signing-key.ts';

/** The Ed25519 key for one use, named by `use`, of whoever keeps the signing key: HKDF-SHA-256 (RFC 5869) over its seed. */
export function derivedEd25519Key(
  from: SigningKey,
  use: 'ringfence/certifying-key/v1' | 'ringfence/job-identity-key/v1',
): KeyObject {
  const seed = from.seed();
  const derived = new Secret(new Uint8Array(hkdfSync('sha256', seed.expose(), '', use, 32)));
  seed[Symbol.dispose]();
  const key = ed25519PrivateKey(derived);
  derived[Symbol.dispose]();
  return key;
}
