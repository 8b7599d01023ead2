import type { IncomingHttpHeaders } from 'node:http';

/** Seconds that a `Retry-After` header names (RFC 9110, 10.2.3); undefined without one, and for a date, which our servers do not send. */
export function retryAfterSeconds(headers: IncomingHttpHeaders): number | undefined {
  const value = headers['retry-after'];
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined;
}
