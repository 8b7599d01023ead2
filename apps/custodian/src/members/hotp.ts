import { Secret as OtpSecret, HOTP } from 'otpauth';
import type { Secret } from '@ringfence/base';
import type { Hotp } from '@ringfence/policy/second-factors';

/** HOTP of RFC 4226 with HMAC-SHA-1 and six digits. */
export const hotp: Hotp = (secret, counter) =>
  HOTP.generate({ secret: keyOf(secret), algorithm: 'SHA1', digits: 6, counter });

/** A secret as people type it (RFC 4648 §6, without padding). */
export function base32(secret: Secret): string {
  return keyOf(secret).base32;
}

function keyOf(secret: Secret): OtpSecret {
  return new OtpSecret({ buffer: Uint8Array.from(secret.expose()).buffer });
}
