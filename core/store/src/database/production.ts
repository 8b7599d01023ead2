import type { Protection } from './server-address.ts';

/** What is known about an open database. */
export interface DatabaseFacts {
  readonly kind: 'embedded' | 'url';
  readonly protection: Protection;
  /** Such as `18.4`. */
  readonly serverVersion: string;
  /** Whether acknowledged transactions survive power loss: fsync, full_page_writes and synchronous_commit are on. */
  readonly durable: boolean;
  /** Whether the URL's user is a superuser. */
  readonly superuser: boolean;
}

/** A reason why a database is not fit for production, as `doctor --production` prints it. */
export type ProductionReason = 'embedded-database' | 'unprotected-connection' | 'not-durable' | 'superuser-url';

/** Whether a database is fit for production; the embedded one is not, because its npm package bundles OpenSSL 1.1.1. */
export function judgeProduction(
  facts: DatabaseFacts,
): { readonly allow: true } | { readonly allow: false; readonly reasons: readonly ProductionReason[] } {
  const reasons: ProductionReason[] = [];
  if (facts.kind === 'embedded') reasons.push('embedded-database');
  if (facts.protection === 'unverified' || facts.protection === 'plaintext') reasons.push('unprotected-connection');
  if (!facts.durable) reasons.push('not-durable');
  if (facts.kind === 'url' && facts.superuser) reasons.push('superuser-url');
  return reasons.length === 0 ? { allow: true } : { allow: false, reasons };
}
