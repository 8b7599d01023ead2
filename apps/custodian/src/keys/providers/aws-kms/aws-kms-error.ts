import type { KekErrorCode } from '../../../custodian-error.ts';

/** Exceptions of the AWS KMS API that mean more than that it failed; by the names of its reference. */
const CODE_OF: Readonly<Record<string, KekErrorCode>> = {
  AccessDeniedException: 'kek-denied',
  DisabledException: 'kek-denied',
  ExpiredTokenException: 'kek-denied',
  IncompleteSignature: 'kek-denied',
  InvalidAliasNameException: 'kek-denied',
  InvalidArnException: 'kek-denied',
  InvalidClientTokenId: 'kek-denied',
  InvalidGrantTokenException: 'kek-denied',
  InvalidKeyUsageException: 'kek-denied',
  InvalidSignatureException: 'kek-denied',
  MissingAuthenticationTokenException: 'kek-denied',
  SignatureDoesNotMatch: 'kek-denied',
  UnrecognizedClientException: 'kek-denied',
  UnsupportedOperationException: 'kek-denied',
  ValidationException: 'kek-denied',
  CredentialsProviderError: 'kek-denied',
  IncorrectKeyException: 'kek-tampered',
  InvalidCiphertextException: 'kek-tampered',
  NotFoundException: 'kek-destroyed',
};

/** What an error of the client means; throttling, time-outs and everything unknown is `kek-unavailable`. */
export function awsErrorCode(error: unknown): KekErrorCode {
  return (error instanceof Error ? CODE_OF[error.name] : undefined) ?? 'kek-unavailable';
}

/** Whether the key is in a state that does not allow the operation (being deleted, being made, without material). */
export function isInvalidState(error: unknown): boolean {
  return error instanceof Error && error.name === 'KMSInvalidStateException';
}
