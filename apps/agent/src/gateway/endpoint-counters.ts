import type { EndpointId } from '@ringfence/base';
import {
  GATEWAY_REFUSALS,
  LATENCY_BOUNDS_MS,
  type EndpointCounts,
  type GatewayRefusal,
} from '@ringfence/protocol/payload';
import type { TokenCount } from './openai-usage.ts';

/** Counts what one endpoint's callers got from this gateway since it started. */
export class EndpointCounters {
  readonly #answers = [0, 0, 0, 0, 0];
  readonly #latency = Array.from({ length: LATENCY_BOUNDS_MS.length + 1 }, () => 0);
  readonly #refusals = new Map<GatewayRefusal, number>(GATEWAY_REFUSALS.map((reason) => [reason, 0]));
  #latencyMsSum = 0;
  #tokens: TokenCount = { in: 0, out: 0 };

  /** An answer with `status` began `ms` after its request came. */
  answered(status: number, ms: number): void {
    const digit = Math.min(5, Math.max(1, Math.floor(status / 100))) - 1;
    this.#answers[digit] = (this.#answers[digit] ?? 0) + 1;
    let at = 0;
    while (at < LATENCY_BOUNDS_MS.length && ms > (LATENCY_BOUNDS_MS[at] ?? 0)) at += 1;
    this.#latency[at] = (this.#latency[at] ?? 0) + 1;
    this.#latencyMsSum += ms;
  }

  /** The gateway answered itself, with `reason`. */
  refused(reason: GatewayRefusal): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
  }

  /** An answer of a language model cost `tokens`. */
  spent(tokens: TokenCount): void {
    this.#tokens = { in: this.#tokens.in + tokens.in, out: this.#tokens.out + tokens.out };
  }

  /** All counts, with what is so at this moment. */
  read(now: { endpoint: EndpointId; name: string; inFlight: number; held: number }): EndpointCounts {
    const [c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = this.#answers;
    return {
      ...now,
      answers: { '1xx': c1, '2xx': c2, '3xx': c3, '4xx': c4, '5xx': c5 },
      latency: [...this.#latency],
      latencyMsSum: this.#latencyMsSum,
      tokensIn: this.#tokens.in,
      tokensOut: this.#tokens.out,
      refusals: Object.fromEntries(this.#refusals) as EndpointCounts['refusals'],
    };
  }
}
