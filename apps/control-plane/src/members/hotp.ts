import { HOTP, Secret as OtpSecret } from 'otpauth';
import type { Secret } from '@ringfence/base';
import type { Hotp } from '@ringfence/policy/second-factors';

/** HOTP of RFC 4226 with HMAC-SHA-1 and six digits. */
export const hotp: Hotp = (secret, counter) =>
  HOTP.generate({ secret: keyOf(secret), algorithm: 'SHA1', digits: 6, counter });

/** What authenticators read (Google's key URI format): no name of a person, only the drawn one. */
export function keyUri(
  secret: Secret,
  { issuer, account }: { readonly issuer: string; readonly account: string },
): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(account)}`;
  const query = new URLSearchParams({
    secret: base32(secret),
    issuer,
    algorithm: 'SHA1',
    digits: '6',
    period: '30',
  });
  return `otpauth://totp/${label}?${query.toString()}`;
}

/** A secret as people type it (RFC 4648 §6, without padding). */
export function base32(secret: Secret): string {
  return keyOf(secret).base32;
}

function keyOf(secret: Secret): OtpSecret {
  const bytes = secret.expose();
  return new OtpSecret({ buffer: Uint8Array.from(bytes).buffer });
}
