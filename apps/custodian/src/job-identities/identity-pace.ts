import type { AgentId, Clock, JobId, MonotonicMs } from '@ringfence/base';
import type { IdentityRefusal } from '@ringfence/protocol/payload';

const SHORTEST_BETWEEN_MS = 1_000;
const MOST_REMEMBERED = 10_000;

/** One attempt at one agent. */
export interface PacedAttempt {
  readonly job: JobId;
  readonly attempt: number;
  readonly agent: AgentId;
}

/** How often one attempt is given tokens, and which of its refusals are written down; both of this process alone. */
export class IdentityPace {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** When a token was made last, oldest first. */
  readonly #issued = new Map<string, MonotonicMs>();
  /** How often it was refused for these reasons, by which was refused last. */
  readonly #refused = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Notes a token that is about to be made; false within a second of the last one for this attempt and audience. */
  takesTurn({ job, attempt, agent }: PacedAttempt, audience: string): boolean {
    const now = this.#clock.monotonic();
    for (const [key, at] of this.#issued) {
      if (now - at < SHORTEST_BETWEEN_MS) break;
      this.#issued.delete(key);
    }
    const key = JSON.stringify([job, attempt, agent, audience]);
    if (this.#issued.has(key)) return false;
    this.#issued.set(key, now);
    return true;
  }

  /** Whether a refusal is written down: the first of an attempt for these reasons, then each doubling. `audience`: undefined for one that no job file names. */
  tells(
    { job, attempt, agent }: PacedAttempt,
    audience: string | undefined,
    reasons: readonly IdentityRefusal[],
  ): boolean {
    const key = JSON.stringify([job, attempt, agent, audience ?? null, reasons]);
    const count = (this.#refused.get(key) ?? 0) + 1;
    this.#refused.delete(key);
    this.#refused.set(key, count);
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > MOST_REMEMBERED && oldest !== undefined) this.#refused.delete(oldest);
    return Number.isInteger(Math.log2(count));
  }
}
