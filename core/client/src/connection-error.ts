import { ClientError } from './error.ts';

/** Names that Node gives to certificate checks that failed (X509_verify_cert_error_string of OpenSSL, and host names). */
const UNTRUSTED =
  /^(ERR_TLS_CERT_ALTNAME_\w+|CERT_\w+|CRL_\w+|\w*SELF_SIGNED_CERT\w*|UNABLE_TO_\w+|INVALID_(CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/;

/** What a failed connection to a server means, as a ClientError: `untrusted-server`, else `unreachable`. */
export function connectionError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNTRUSTED.test(code))
    return new ClientError('untrusted-server', `the server's certificate does not verify (${code})`, {
      cause: error,
      next: 'pass the CA file that the server printed when it started; if it did not change, something sits in between',
    });
  return new ClientError('unreachable', `no connection (${code === '' ? 'closed' : code})`, {
    cause: error,
    next: 'check the address, that the server runs, and whether a proxy is needed (RINGFENCE_PROXY, --proxy of a join)',
  });
}
