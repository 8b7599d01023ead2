import type { AgentId, Clock } from '@ringfence/base';
import { countGroups } from '@ringfence/keyring';
import type { Contract } from '@ringfence/protocol/statements';
import { WakeableWait } from './wakeable-wait.ts';

/** How a round was gathered for. */
export type Gathered =
  | { readonly outcome: 'ready'; readonly agents: readonly AgentId[] }
  /** Too few are ready; `burned`: somebody says that this number was used before. */
  | { readonly outcome: 'too-few'; readonly burned: boolean };

/** What gathering works with. */
export interface GatheringParts {
  readonly contract: Contract;
  readonly round: number;
  /** Clients that asked for something a moment ago and still take part. */
  readonly present: () => readonly AgentId[];
  readonly announce: (agent: AgentId) => void;
  /** Waits no longer than this for those that are not ready, milliseconds. */
  readonly within: number;
  readonly clock: Clock;
}

const LOOK_EVERY_MS = 500;
/** A client that says these knows that the number was used. */
const BURNED: ReadonlySet<string> = new Set(['round-over', 'replayed-round']);

/** One announced round until enough clients have trained for it: nothing of it is burned yet. */
export class Gathering {
  readonly #parts: GatheringParts;
  readonly #announced = new Set<AgentId>();
  readonly #ready = new Set<AgentId>();
  readonly #declined = new Map<AgentId, string>();
  readonly #wait: WakeableWait;

  constructor(parts: GatheringParts) {
    this.#parts = parts;
    this.#wait = new WakeableWait(parts.clock);
  }

  /** A client began a session: it has heard of nothing, and what it trained is gone. */
  joined(agent: AgentId): void {
    for (const known of [this.#announced, this.#ready, this.#declined]) known.delete(agent);
    this.#wait.wake();
  }

  /** A client has trained; what it says of another round is late. */
  ready(agent: AgentId, round: number): void {
    if (round !== this.#parts.round) return;
    this.#ready.add(agent);
    this.#wait.wake();
  }

  declined(agent: AgentId, round: number, reason: string): void {
    if (round !== this.#parts.round) return;
    this.#declined.set(agent, reason);
    this.#wait.wake();
  }

  /** Announces the round to whoever is there or comes, until all of them answered or time is up. */
  async run(signal: AbortSignal): Promise<Gathered> {
    const { clock, within, present, announce } = this.#parts;
    const deadline = clock.monotonic() + within;
    while (!signal.aborted) {
      const here = present();
      for (const agent of here)
        if (!this.#announced.has(agent)) {
          this.#announced.add(agent);
          announce(agent);
        }
      const answered = here.every((agent) => this.#ready.has(agent) || this.#declined.has(agent));
      if (clock.monotonic() >= deadline || (answered && this.#ready.size > 0) || this.#isHopeless(here)) break;
      await this.#wait.upTo(Math.min(LOOK_EVERY_MS, deadline - clock.monotonic()), signal);
    }
    const here = new Set(present());
    const agents = [...this.#ready].filter((agent) => here.has(agent));
    return this.#isEnough(agents)
      ? { outcome: 'ready', agents }
      : { outcome: 'too-few', burned: [...this.#declined.values()].some((reason) => BURNED.has(reason)) };
  }

  /** Everybody who is there has answered, or those that have not could not make up for those that declined. */
  #isHopeless(here: readonly AgentId[]): boolean {
    return !this.#isEnough(here.filter((agent) => !this.#declined.has(agent)));
  }

  #isEnough(agents: readonly AgentId[]): boolean {
    const { contract } = this.#parts;
    const least = Math.max(contract.minOrganisations, contract.privacy.noise?.honestMin ?? 0);
    return agents.length >= least && countGroups(contract, agents) >= contract.minOrganisations;
  }
}
