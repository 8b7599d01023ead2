import type { IncomingMessage } from 'node:http';
import { retryAfterSeconds } from '../api/retry-after.ts';
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

/** What an answer 503 with `Retry-After` in seconds means; undefined for any other. */
export function serverBusy({
  statusCode,
  headers,
}: Pick<IncomingMessage, 'statusCode' | 'headers'>): ServerBusy | undefined {
  const after = retryAfterSeconds(headers);
  if (statusCode !== 503 || after === undefined) return undefined;
  return new ServerBusy(Math.min(LONGEST_S, after) * 1_000);
}
