import { Secret, type Log } from '@ringfence/base';
import pg from 'pg';
import { StoreError } from '../store-error.ts';

/** How a connection is protected: unix socket or loopback; TLS with a verified name; TLS to anybody; not at all. */
export type Protection = 'local' | 'verified' | 'unverified' | 'plaintext';

/** A server, a database and the user that a URL names. */
export interface ServerAddress {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** UTF-8; undefined when the server asks for none. */
  readonly password: Secret | undefined;
  readonly tls: pg.ClientConfig['ssl'];
  readonly protection: Protection;
}

const NEXT = 'write it as postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full';

/**
 * Reads a database URL as libpq and node-postgres write it (`sslmode`, `sslrootcert`, `host` of a socket folder). A host beyond
 * this machine needs TLS, or `sslmode=disable` in so many words. Throws `bad-url`, `insecure-url`; neither quotes the URL.
 */
export function parseDatabaseUrl(text: string | Secret): ServerAddress {
  const url = typeof text === 'string' ? text : Buffer.from(text.expose()).toString();
  if (!/^postgres(ql)?:\/\//.test(url))
    throw new StoreError('bad-url', 'the database URL is no postgresql:// URL', { next: NEXT });
  const client = clientOf(url);
  const { host, port, user, database, password } = client;
  if (user === undefined || user === '' || database === undefined || database === '')
    throw new StoreError('bad-url', 'the database URL names no user or no database', { next: NEXT });
  const tls: pg.ClientConfig['ssl'] = 'ssl' in client ? tlsOf(client.ssl) : false;
  const protection = protectionOf(host, tls);
  if (protection === 'plaintext' && !/[?&]sslmode=disable(&|$)/.test(url))
    throw new StoreError('insecure-url', 'the database URL names another machine but asks for no TLS', {
      next: 'add ?sslmode=verify-full (and sslrootcert=FILE for a private authority); sslmode=disable is unprotected',
    });
  const secret = typeof password === 'string' && password !== '' ? new Secret(Buffer.from(password)) : undefined;
  return { host, port, database, user, password: secret, tls, protection };
}

/** Says loudly when a connection is not protected as it should be. */
export function warnOfProtection(address: ServerAddress, log: Log): void {
  if (address.protection === 'unverified' || address.protection === 'plaintext')
    log.warn('database.unprotected', { state: address.protection, next: 'use sslmode=verify-full' });
}

function clientOf(url: string): pg.Client {
  try {
    return new pg.Client({ connectionString: url });
  } catch (cause) {
    // Only a missing certificate file is worth passing on; a parser's error may quote the URL.
    const isFile = cause instanceof Error && 'syscall' in cause;
    throw new StoreError('bad-url', 'the database URL cannot be read', { next: NEXT, ...(isFile ? { cause } : {}) });
  }
}

function tlsOf(value: unknown): pg.ClientConfig['ssl'] {
  return typeof value === 'object' && value !== null ? value : value === true;
}

function protectionOf(host: string, tls: pg.ClientConfig['ssl']): Protection {
  if (host.startsWith('/') || /^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)) return 'local';
  if (tls === false || tls === undefined) return 'plaintext';
  if (tls === true) return 'verified';
  return tls.rejectUnauthorized === false || tls.checkServerIdentity !== undefined ? 'unverified' : 'verified';
}
