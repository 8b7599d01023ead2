import pg from 'pg';
import { StoreError, type StoreErrorCode } from '../store-error.ts';

/** SQLSTATE, or its class of two characters (PostgreSQL documentation, appendix A). */
const CODE_BY_STATE: Readonly<Record<string, StoreErrorCode>> = {
  '08': 'unavailable',
  '23': 'violation',
  '23505': 'duplicate',
  '25006': 'unavailable',
  '25P02': 'aborted',
  '25P03': 'timeout',
  '28': 'authentication',
  '3D000': 'bad-url',
  '40001': 'conflict',
  '40003': 'outcome-unknown',
  '40P01': 'conflict',
  '42501': 'denied',
  '53': 'unavailable',
  '55P03': 'timeout',
  '57014': 'timeout',
  '57P01': 'unavailable',
  '57P02': 'unavailable',
  '57P03': 'unavailable',
  '57P05': 'unavailable',
};

const SENTENCE: Readonly<Partial<Record<StoreErrorCode, string>>> = {
  unavailable: 'the database does not answer',
  violation: 'a constraint of the database refused the change',
  duplicate: 'the row exists already',
  aborted: 'the transaction had failed before',
  timeout: 'the database took too long',
  authentication: 'the database refused the user or password',
  'untrusted-server': 'the server cannot prove by TLS who it is',
  'bad-url': 'the server has no such database',
  conflict: 'another transaction was in the way',
  'outcome-unknown': 'the connection broke during commit',
  denied: 'the role may not do this',
  'query-failed': 'the database refused the statement',
};

const NEXT: Readonly<Partial<Record<StoreErrorCode, string>>> = {
  unavailable: 'start the database or wait for it; nothing was changed',
  authentication: 'check user and password of the database URL',
  'untrusted-server': 'name its authority with sslrootcert=FILE, or turn TLS on at the server',
  'bad-url': 'create the database, or correct the URL',
  conflict: 'run the transaction again',
  'outcome-unknown': 'read before you write again: the change may or may not be there',
};

/** node-postgres' errors for a connection that could not be made or broke; all others are faults of the call. */
const BROKEN = /^(Connection terminated|Client (has encountered|was closed)|timeout e|Cannot use a pool)/;
/** Node's codes for a certificate that does not verify, and node-postgres' words for a server without TLS. */
const UNTRUSTED_CODE = /^(ERR_TLS|ERR_SSL|CERT_|CRL_|SELF_SIGNED|UNABLE_TO|DEPTH_ZERO|HOSTNAME_MISMATCH|INVALID_CA)/;
const UNTRUSTED_WORDS = /^The server does not support SSL/;
const READ_TIMEOUT = 'Query read timeout';

/** Anything thrown by node-postgres as a {@link StoreError} without row values; a StoreError stays what it is. */
export function translateFailure(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  if (error instanceof pg.DatabaseError) return fromServer(error);
  if (isUntrusted(error)) return storeError('untrusted-server', error);
  if (error instanceof AggregateError || isBroken(error)) return storeError('unavailable', error);
  if (error instanceof Error && error.message === READ_TIMEOUT) return storeError('timeout', error);
  return storeError('query-failed', error);
}

/** A failure of COMMIT: when the connection broke nobody knows whether the server still did it. */
export function translateCommitFailure(error: unknown): StoreError {
  const failure = translateFailure(error);
  return failure.code === 'unavailable' || failure.code === 'timeout' ? storeError('outcome-unknown', error) : failure;
}

/** A prepared statement whose tables another replica's migration changed: a new connection prepares it anew. */
const STALE_PLAN = '0A000';

/** Whether the connection that failed so can run another statement. */
export function isUsableAfter(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR' && error.code !== STALE_PLAN;
}

function isBroken(error: unknown): boolean {
  // Every failed system call (ECONNREFUSED, ENOENT of a socket, EPIPE, EAI_AGAIN …) says which one it was.
  return error instanceof Error && ('syscall' in error || BROKEN.test(error.message));
}

function isUntrusted(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return UNTRUSTED_WORDS.test(error.message) || ('code' in error && UNTRUSTED_CODE.test(String(error.code)));
}

function fromServer(error: pg.DatabaseError): StoreError {
  const state = error.code ?? '';
  const code = CODE_BY_STATE[state] ?? CODE_BY_STATE[state.slice(0, 2)] ?? 'query-failed';
  return storeError(code, withoutValues(error), { sqlState: state, constraint: error.constraint });
}

function storeError(
  code: StoreErrorCode,
  cause: unknown,
  detail: { sqlState?: string; constraint?: string | undefined } = {},
): StoreError {
  const { sqlState, constraint } = detail;
  const about = [sqlState && `SQLSTATE ${sqlState}`, constraint && `constraint ${constraint}`]
    .filter(Boolean)
    .join(', ');
  const message = `${SENTENCE[code] ?? 'the database failed'}${about === '' ? '' : ` (${about})`}`;
  const next = NEXT[code];
  return new StoreError(code, message, { cause, sqlState, constraint, ...(next === undefined ? {} : { next }) });
}

/** The server's message without detail, context and hint; messages of class 22 (data exceptions) quote values. */
function withoutValues(error: pg.DatabaseError): Error {
  const message = error.code?.startsWith('22') === true ? 'data exception' : error.message;
  const cause = new Error(`${error.code}: ${message}`);
  if (error.stack !== undefined) cause.stack = error.stack.replace(error.message, message);
  return cause;
}
