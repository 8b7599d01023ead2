import type { AgentId, Clock, JobId } from '@ringfence/base';
import { NewestNumber } from '../http/newest-number.ts';

/** A gateway that has not asked for so long holds nothing up. */
const ASKED_WITHIN_MS = 60_000;
/** After how long a replica ends whether gateways know or not. */
const KNOWN_WITHIN_MS = 10_000;

/** The number of the newest list for gateways, who waits for the next, and which list each has taken up. */
export class GatewayWatch {
  readonly #clock: Clock;
  readonly #newest: NewestNumber;
  readonly #taken = new Map<AgentId, { readonly seq: number; readonly at: number }>();
  readonly #ends = new Map<JobId, { readonly seq: number; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#newest = new NewestNumber(clock);
  }

  get seq(): number {
    return this.#newest.seq;
  }

  /** There is a newer list. */
  next(): void {
    this.#newest.next();
  }

  /** Waits until the newest list is not number `after`, at most 25 s; a gateway that asks has taken `after` up. */
  async changedSince(gateway: AgentId, after: number): Promise<void> {
    this.#taken.set(gateway, { seq: after >= this.#newest.first ? after : -1, at: this.#clock.now() });
    await this.#newest.changedSince(after);
  }

  /** An agent is no gateway any more. */
  drop(gateway: AgentId): void {
    this.#taken.delete(gateway);
  }

  /** Whether no gateway sends to a replica that is to end: its first call notes from which list on they must know. */
  everybodyKnows(job: JobId): boolean {
    const now = this.#clock.now();
    const noted = this.#ends.get(job);
    const { seq, at } = noted ?? { seq: this.seq, at: now };
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
    this.#newest.close();
  }
}
