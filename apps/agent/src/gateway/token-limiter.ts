import type { TokenLimits } from '@ringfence/protocol/payload';
import { RollingCount } from './rolling-count.ts';

/** Whether one more request is within a token's limits. */
export type LimitDecision =
  | { readonly allow: true }
  | {
      readonly allow: false;
      readonly reasons: readonly ['limit-requests' | 'limit-concurrency' | 'limit-tokens'];
      readonly retryAfterS: number;
    };

const MINUTE_S = 60;

/** What the callers of one token use of one endpoint at this gateway. */
export class TokenUse {
  readonly #requests = new RollingCount(MINUTE_S);
  readonly #tokens = new RollingCount(MINUTE_S);
  #inFlight = 0;

  /** Takes a place for one more request at `now` (monotonic milliseconds); whoever got it calls `end` once. */
  begin(limits: TokenLimits, now: number): LimitDecision {
    const { requestsPerMinute, concurrency, tokensPerMinute } = limits;
    if (concurrency !== undefined && this.#inFlight >= concurrency) return refused('limit-concurrency', 1);
    if (requestsPerMinute !== undefined && this.#requests.sum(now) >= requestsPerMinute)
      return refused('limit-requests', this.#requests.secondsUntilBelow(requestsPerMinute, now));
    // What a request costs shows in its answer: the one that crosses the limit is served, the next is not.
    if (tokensPerMinute !== undefined && this.#tokens.sum(now) >= tokensPerMinute)
      return refused('limit-tokens', this.#tokens.secondsUntilBelow(tokensPerMinute, now));
    this.#inFlight += 1;
    this.#requests.add(1, now);
    return { allow: true };
  }

  /** A request is over; it cost `tokens` (of a language model). */
  end(tokens: number, now: number): void {
    this.#inFlight -= 1;
    if (tokens > 0) this.#tokens.add(tokens, now);
  }

  /** Whether nothing of it matters any more. */
  isIdle(now: number): boolean {
    return this.#inFlight === 0 && this.#requests.sum(now) === 0 && this.#tokens.sum(now) === 0;
  }
}

function refused(reason: 'limit-requests' | 'limit-concurrency' | 'limit-tokens', retryAfterS: number): LimitDecision {
  return { allow: false, reasons: [reason], retryAfterS };
}
