import { hash, timingSafeEqual } from 'node:crypto';
import type { TokenLimits } from '@ringfence/protocol/payload';

/** A token as a gateway knows it: never its text. */
export interface KnownToken {
  /** SHA-256 of its text in hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly expires: number;
  readonly limits: TokenLimits;
}

/** Whether a caller may call. */
export type TokenDecision =
  | { readonly allow: true; readonly token: KnownToken }
  | { readonly allow: false; readonly reasons: readonly ('missing' | 'unknown' | 'expired')[] };

const BEARER = /^Bearer (rfe_[A-Za-z0-9_-]{43})$/i;

/** A token of a gateway's view. */
export function knownToken(entry: { digest: string; expires: number; limits: TokenLimits }): KnownToken {
  return { ...entry, bytes: Buffer.from(entry.digest, 'hex') };
}

/** The token text of an `Authorization` header (RFC 6750 §2.1); undefined when it is none of ours. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : BEARER.exec(header)?.[1];
}

/** Looks `text` up among all `tokens` at `now` (epoch milliseconds); how long it takes does not tell which one fits, or how nearly. */
export function checkToken(text: string | undefined, tokens: readonly KnownToken[], now: number): TokenDecision {
  if (text === undefined) return { allow: false, reasons: ['missing'] };
  const digest = hash('sha256', text, 'buffer');
  let found: KnownToken | undefined;
  for (const token of tokens) if (timingSafeEqual(digest, token.bytes)) found = token;
  if (found === undefined) return { allow: false, reasons: ['unknown'] };
  if (now >= found.expires) return { allow: false, reasons: ['expired'] };
  return { allow: true, token: found };
}
