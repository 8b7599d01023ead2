import type { IncomingMessage } from 'node:http';
import { ClientError } from '../error.ts';

const LONGEST_S = 3_600;

/** The control plane takes no more handshakes now, and says when to come again. */
export class ServerBusy extends ClientError {
  readonly retryAfterMs: number;

  constructor(retryAfterMs: number) {
    super('server-busy', 'the control plane is busy', { next: 'it is dialled again by itself' });
    this.retryAfterMs = retryAfterMs;
  }
}

/** What an answer 503 with `Retry-After` in seconds (RFC 9110, 10.2.3) means; undefined for any other. */
export function serverBusy({
  statusCode,
  headers,
}: Pick<IncomingMessage, 'statusCode' | 'headers'>): ServerBusy | undefined {
  const after = headers['retry-after'];
  if (statusCode !== 503 || after === undefined || !/^\d{1,9}$/.test(after)) return undefined;
  return new ServerBusy(Math.min(LONGEST_S, Number(after)) * 1_000);
}
