import type { Clock, EndpointId } from '@ringfence/base';
import type { EndpointCounts, GatewayEndpoint, GatewayLoad } from '@ringfence/protocol/payload';
import { chooseReplica } from './balance.ts';
import { knownToken, type KnownToken } from './bearer.ts';
import { EndpointCounters } from './endpoint-counters.ts';
import { HoldQueue, type Held } from './hold-queue.ts';
import { RollingCount } from './rolling-count.ts';
import { Target, targetKey, type FindRoad } from './target.ts';
import { TokenUse } from './token-limiter.ts';

/** What an endpoint needs of its gateway. */
export interface EndpointParts {
  readonly clock: Clock;
  readonly draw: (below: number) => number;
  readonly findRoad: FindRoad;
  /** A request is held: the custodian is to know at once. */
  readonly onHeld: () => void;
}

interface Waiting extends Held {
  readonly settle: (target: Target | undefined) => void;
}

const MOST_HELD = 256;
/** How long a request waits for a replica, all tries together. */
export const HELD_MS = 60_000;
const RATE_SECONDS = 5;
/** A listed replica may get a way to it without a word from the custodian: its agent's keys arrive, or it takes requests again. */
const LOOK_EVERY_MS = 1_000;

/** One endpoint at a gateway: who may call, where requests go, what waits, what was counted. */
export class ServedEndpoint {
  readonly id: EndpointId;
  readonly counters = new EndpointCounters();
  readonly #parts: EndpointParts;
  readonly #held = new HoldQueue<Waiting>(MOST_HELD);
  readonly #arrivals = new RollingCount(RATE_SECONDS);
  readonly #uses = new Map<string, TokenUse>();
  #targets = new Map<string, Target>();
  #listed: GatewayEndpoint;
  #tokens: readonly KnownToken[] = [];
  #inFlight = 0;
  #cancelTimer: () => void = () => {};

  constructor(listed: GatewayEndpoint, parts: EndpointParts) {
    this.id = listed.endpoint;
    this.#listed = listed;
    this.#parts = parts;
    this.update(listed);
  }

  get listed(): GatewayEndpoint {
    return this.#listed;
  }

  get tokens(): readonly KnownToken[] {
    return this.#tokens;
  }

  /** Whether anything is under way or waits. */
  get isBusy(): boolean {
    return this.#inFlight > 0 || this.#held.size > 0;
  }

  /** Takes what the custodian says now; what waits may find a replica in it. */
  update(listed: GatewayEndpoint): void {
    this.#listed = listed;
    this.#tokens = listed.tokens.map(knownToken);
    const targets = listed.replicas.map((replica): [string, Target] => {
      const known = this.#targets.get(targetKey(replica));
      known?.update(replica);
      return [targetKey(replica), known ?? new Target(replica, this.#parts.findRoad)];
    });
    this.#targets = new Map(targets);
    const now = this.#parts.clock.monotonic();
    for (const [digest, use] of this.#uses) if (use.isIdle(now)) this.#uses.delete(digest);
    if (listed.resting === true) this.#giveUp();
    this.#letGo();
  }

  /** What the callers of one token use. */
  useOf({ digest }: KnownToken): TokenUse {
    const known = this.#uses.get(digest);
    if (known !== undefined) return known;
    const use = new TokenUse();
    this.#uses.set(digest, use);
    return use;
  }

  /** Counts a request that came. */
  arrived(): void {
    this.#arrivals.add(1, this.#parts.clock.monotonic());
  }

  /** A replica with a place taken in it, to be given back by {@link release}; undefined when none has one. */
  take(): Target | undefined {
    const now = this.#parts.clock.monotonic();
    const targets = [...this.#targets.values()];
    for (const target of targets) target.look(now);
    const target = chooseReplica(targets, this.#parts.draw);
    if (target === undefined) return undefined;
    target.inFlight += 1;
    this.#inFlight += 1;
    return target;
  }

  /**
   * Waits for a replica until `until` (monotonic milliseconds), or until the caller leaves. Undefined when that comes first, when its
   * caller's share of the places is taken, and at once when its owner wants no replica.
   */
  hold({ until, caller }: Held, whenLeft: (leave: () => void) => void): Promise<Target | undefined> {
    return new Promise((resolve) => {
      const waiting: Waiting = { until, caller, settle: resolve };
      const holding = this.#listed.resting === true ? ({ held: false } as const) : this.#held.hold(waiting);
      if (!holding.held) return resolve(undefined);
      holding.displaced?.settle(undefined);
      whenLeft(() => {
        if (this.#held.leave(waiting)) resolve(undefined);
      });
      this.#parts.onHeld();
      this.#watch();
    });
  }

  /** Gives a place back. */
  release(target: Target): void {
    target.inFlight -= 1;
    this.#inFlight -= 1;
    if (this.#held.size > 0) this.#letGo();
  }

  /** Ends everything that waits. */
  close(): void {
    this.#cancelTimer();
    this.#giveUp();
  }

  load(): GatewayLoad['endpoints'][number] {
    const requestsPerSecond = Math.ceil(this.#arrivals.perSecond(this.#parts.clock.monotonic()));
    return { endpoint: this.id, inFlight: this.#inFlight, held: this.#held.size, requestsPerSecond };
  }

  counts(): EndpointCounts {
    const { name } = this.#listed;
    return this.counters.read({ endpoint: this.id, name, inFlight: this.#inFlight, held: this.#held.size });
  }

  #giveUp(): void {
    for (let next = this.#held.next(); next !== undefined; next = this.#held.next()) next.settle(undefined);
  }

  /** Sends on what waits, as far as there are places. */
  #letGo(): void {
    while (this.#held.size > 0) {
      const target = this.take();
      if (target === undefined) break;
      const next = this.#held.next();
      if (next === undefined) return this.release(target);
      next.settle(target);
    }
    this.#watch();
  }

  /** One timer: the oldest has waited long enough, a replica has rested, or it is time to look for a way to one again. */
  #watch(): void {
    this.#cancelTimer();
    const expiry = this.#held.nextExpiry;
    if (expiry === undefined) return;
    const now = this.#parts.clock.monotonic();
    const rests = [...this.#targets.values()].map(({ restsUntil }) => restsUntil).filter((until) => until > now);
    const looks = this.#targets.size > 0 ? [now + LOOK_EVERY_MS] : [];
    this.#cancelTimer = this.#parts.clock.after(Math.max(0, Math.min(expiry, ...rests, ...looks) - now), () => {
      for (const late of this.#held.expire(this.#parts.clock.monotonic())) late.settle(undefined);
      this.#letGo();
    });
  }
}
