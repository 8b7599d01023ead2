import { equalBytes, utf8, type Brand, type EpochMs, type Secret } from '@ringfence/base';
import type { Decision } from '../decision.ts';

/** Six digits that somebody typed. */
export type TotpCode = Brand<string, 'TotpCode'>;
/** HOTP of RFC 4226 with HMAC-SHA-1 and six digits, for a secret and a counter from 0; a library's, handed in by the process. */
export type Hotp = (secret: Secret, counter: number) => string;

/** The time step of RFC 6238, in milliseconds. */
export const TOTP_STEP_MS = 30_000;
/** How many steps a person's clock may be off, either way (RFC 6238, section 5.2). */
export const TOTP_STEPS_OFF = 1;
/** How long a secret is, in bytes (RFC 4226, section 4, R6). */
export const TOTP_SECRET_BYTES = 20;

/** The code in what somebody typed, with or without spaces; undefined where there is none. */
export function readTotp(text: string): TotpCode | undefined {
  if (text.length > 32) return undefined;
  const digits = text.replaceAll(' ', '');
  return /^[0-9]{6}$/.test(digits) ? (digits as TotpCode) : undefined;
}

/** What a code is held against. */
export interface TotpTry {
  readonly secret: Secret;
  readonly code: TotpCode;
  /** The newest step that was ever spent; -1 before the first. */
  readonly lastStep: number;
  readonly now: EpochMs;
}

/**
 * Which time step a code is good for: the caller spends it by one `UPDATE … WHERE last_step < $step RETURNING` and lets in only who got a row.
 * `spent` and `wrong` are told apart for the log alone, never to who asks. As many comparisons are made whatever the code is.
 */
export function matchTotp(
  { secret, code, lastStep, now }: TotpTry,
  hotp: Hotp,
): Decision<'wrong' | 'spent', { readonly step: number }> {
  const current = Math.floor(now / TOTP_STEP_MS);
  const steps = Array.from({ length: 2 * TOTP_STEPS_OFF + 1 }, (_, index) => current - TOTP_STEPS_OFF + index);
  const matching = steps.filter((step) => step >= 0 && equalBytes(utf8(hotp(secret, step)), utf8(code)));
  const step = matching.find((each) => each > lastStep);
  if (step !== undefined) return { allow: true, step };
  return { allow: false, reasons: [matching.length === 0 ? 'wrong' : 'spent'] };
}
