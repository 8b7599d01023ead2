import { RingfenceError } from '@ringfence/base';

/**
 * Why a cryptographic operation was refused. Everything that can go wrong while a sealed thing is opened has the one
 * code `cannot-open`: which check failed would help only an attacker.
 */
export type CryptoErrorCode =
  | 'bad-certificate'
  | 'bad-handshake'
  | 'bad-key'
  | 'bad-signature'
  | 'cannot-open'
  | 'limit-reached'
  | 'not-canonical';

/** The one error class of this package; messages carry no secrets and nothing that a peer chose. */
export class CryptoError extends RingfenceError<CryptoErrorCode> {}

/** The one error for everything that fails while opening. */
export function cannotOpen(): CryptoError {
  return new CryptoError('cannot-open', 'the sealed bytes do not open with this key for this purpose');
}
