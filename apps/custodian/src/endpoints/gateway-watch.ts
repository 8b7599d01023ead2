import type { AgentId, Clock, JobId } from '@ringfence/base';

/** How long a gateway's question waits for a change. */
const WAIT_MS = 25_000;
/** A gateway that has not asked for so long holds nothing up. */
const ASKED_WITHIN_MS = 60_000;
/** After how long a replica ends whether gateways know or not. */
const KNOWN_WITHIN_MS = 10_000;

/**
 * The number of the newest list for gateways, who waits for the next, and which list each has taken up. Numbers begin at a place of this
 * process's own, so that a list of an earlier one counts as another.
 */
export class GatewayWatch {
  readonly #clock: Clock;
  readonly #first: number;
  readonly #waiting = new Set<() => void>();
  readonly #taken = new Map<AgentId, { readonly seq: number; readonly at: number }>();
  readonly #ends = new Map<JobId, { readonly seq: number; readonly at: number }>();
  #seq: number;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#first = clock.now() * 1_000;
    this.#seq = this.#first;
  }

  get seq(): number {
    return this.#seq;
  }

  /** There is a newer list. */
  next(): void {
    this.#seq += 1;
    for (const wake of this.#waiting) wake();
  }

  /** Waits until the newest list is not number `after`, at most {@link WAIT_MS}; a gateway that asks has taken `after` up. */
  async changedSince(gateway: AgentId, after: number): Promise<void> {
    this.#taken.set(gateway, { seq: after >= this.#first ? after : -1, at: this.#clock.now() });
    if (after !== this.#seq || this.#closed) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#waiting.delete(done);
        cancel();
        resolve();
      };
      const cancel = this.#clock.after(WAIT_MS, done);
      this.#waiting.add(done);
    });
  }

  /** An agent is no gateway any more. */
  drop(gateway: AgentId): void {
    this.#taken.delete(gateway);
  }

  /** Whether no gateway sends to a replica that is to end: its first call notes from which list on they must know. */
  everybodyKnows(job: JobId): boolean {
    const now = this.#clock.now();
    const noted = this.#ends.get(job);
    const { seq, at } = noted ?? { seq: this.#seq, at: now };
    if (noted === undefined) this.#ends.set(job, { seq, at });
    if (now - at >= KNOWN_WITHIN_MS) return true;
    return [...this.#taken.values()].every((taken) => taken.seq >= seq || now - taken.at > ASKED_WITHIN_MS);
  }

  /** The control plane was told: the next end of this replica is another. */
  forget(job: JobId): void {
    this.#ends.delete(job);
  }

  /** Lets everybody go who waits, and from now on at once. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiting) wake();
  }
}
