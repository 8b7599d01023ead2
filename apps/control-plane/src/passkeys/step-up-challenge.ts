import { toBase64Url, utf8 } from '@ringfence/base';
import { sha256, type Digest } from '@ringfence/crypto/sign';

/**
 * The challenge by which a passkey agrees to one thing: SHA-256 over the ceremony's id, which is random and used once, and the digest of the
 * very bytes that are to be carried out; in base64url. Whoever has both can check what was agreed to.
 */
export function stepUpChallenge(ceremony: string, forDigest: Digest): string {
  return toBase64Url(sha256(utf8(`ringfence/step-up/v1\0${ceremony}\0${forDigest}`)));
}
