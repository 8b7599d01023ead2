import { errorFields, sleep, type AgentId, type Clock, type DeviceId, type Log } from '@ringfence/base';
import { ApiRefusal } from '@ringfence/client/api';
import type { CustodianClient } from '@ringfence/client/custodian';
import type { HeldLocks } from '@ringfence/protocol/payload';

/** What following needs. */
export interface FollowedLocksOptions {
  /** A client of its own: a question that waits would take the place of others. */
  readonly custodian: Pick<CustodianClient, 'heldLocks' | 'close'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Called when the list has changed: whoever it names now is to be cut. */
  readonly onChanged: () => void;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 5_000;

/**
 * Whom this agent cuts off, by its custodian's word. While the custodian is out of reach the last word counts: nobody is let in who was cut
 * off, and what was open goes on (docs/identity.md, "Locks").
 */
export class FollowedLocks {
  readonly #options: FollowedLocksOptions;
  readonly #stopped = new AbortController();
  #held: HeldLocks = { seq: 0, devices: [], agents: [], roles: [] };

  constructor(options: FollowedLocksOptions) {
    this.#options = options;
  }

  /** Asks until it is stopped. */
  start(): void {
    void this.#follow();
  }

  stop(): void {
    this.#stopped.abort();
    this.#options.custodian.close();
  }

  /** Whether a lock on itself, on whose it is, or on its site cuts a member off now. */
  cuts(member: DeviceId | AgentId): boolean {
    const now = this.#options.clock.now();
    const { agents, devices } = this.#held;
    const named = [
      ...devices.filter(({ device }) => device === member),
      ...agents.filter(({ agent }) => agent === member),
    ];
    return named.some(({ until }) => until === null || now < until);
  }

  /** The roles that are suspended everywhere now. */
  get suspended(): ReadonlySet<string> {
    const now = this.#options.clock.now();
    return new Set(
      this.#held.roles.flatMap(({ role, project, until }) =>
        project === null && (until === null || now < until) ? [role] : [],
      ),
    );
  }

  async #follow(): Promise<void> {
    const { custodian, clock, log, onChanged } = this.#options;
    const { signal } = this.#stopped;
    let delay = FIRST_DELAY_MS;
    let silent = false;
    while (!signal.aborted) {
      try {
        const held = await custodian.heldLocks(this.#held.seq);
        if (signal.aborted) return;
        const changed = held.seq !== this.#held.seq;
        this.#held = held;
        [delay, silent] = [FIRST_DELAY_MS, false];
        if (changed) onChanged();
      } catch (error) {
        if (signal.aborted) return;
        // A custodian of an earlier release knows no such question.
        if (error instanceof ApiRefusal && error.status === 404) delay = LONGEST_DELAY_MS;
        else if (!silent) log.warn('locks.not-told', errorFields(error));
        silent = true;
        await sleep(clock, delay, signal);
        delay = Math.min(2 * delay, LONGEST_DELAY_MS);
      }
    }
  }
}
