import { errorFields, type Clock, type EpochMs, type LockId, type Log, type OrgId } from '@ringfence/base';
import type { Role } from '../authorise/authoriser.ts';
import type { Decision } from '../decision.ts';
import { checkLocks, type Cut } from './cut.ts';
import {
  HOLD_AFTER_MS,
  READ_EVERY_MS,
  stepFeed,
  UNHEARD,
  type FeedEvent,
  type LockFeed,
  type Posture,
  type Stream,
  type StreamId,
} from './lock-feed.ts';
import { rolesUnder, type Lock, type Party } from './lock.ts';

/** Every lock that is not lifted, by organisation; ones that have ended may be among them. */
export type LocksByOrg<L extends Lock = Lock> = ReadonlyMap<OrgId, readonly L[]>;

/** What a watch over locks works with. */
export interface LockWatchParts<L extends Lock> {
  readonly clock: Clock;
  readonly log: Log;
  /** Reads the stored locks; rejects when the database does not answer. */
  readonly read: () => Promise<LocksByOrg<L>>;
  /** Called after each read that succeeded and whenever the posture turned, when streams were cut already. */
  readonly onHeard?: (locks: LocksByOrg<L>, posture: Posture) => void;
}

/** One end of a stream, or who asks, and whose organisation it belongs to. */
export interface WatchedParty extends Party {
  readonly org: OrgId;
}

/** A stream that a lock on one of its ends cuts. */
export interface WatchedStream extends Pick<Stream, 'control' | 'parties'> {
  readonly org: OrgId;
  /** Called once, at most; never after `close`. */
  readonly cut: (why: readonly LockId[] | 'not-hearing') => void;
}

/** Why a caller gets no further: a lock names it, or this process does not know whether one does. */
export type LockedOut = 'locked' | 'not-hearing';

/** How many reads may be under way: one that hangs keeps no other from being tried. */
const READS_AT_ONCE = 3;
const NO_STREAMS: ReadonlyMap<StreamId, Stream> = new Map();
const NO_LOCKS: readonly never[] = [];

/**
 * What one process knows of locks: it reads all of them twice a second, cuts the streams that they name, and answers from memory. It begins
 * knowing nothing, and so lets nobody in (docs/identity.md, "Locks").
 */
export class LockWatch<L extends Lock = Lock> {
  readonly #parts: LockWatchParts<L>;
  #feed: LockFeed = UNHEARD;
  #locks: LocksByOrg<L> = new Map();
  readonly #streams = new Map<OrgId, Map<StreamId, Stream>>();
  readonly #cuts = new Map<StreamId, WatchedStream['cut']>();
  #nextStream = 1;
  #reading = 0;
  #newest: Promise<void> = Promise.resolve();
  #heardSinceTick = false;
  #cancelTick = (): void => {};
  #closed = false;

  constructor(parts: LockWatchParts<L>) {
    this.#parts = parts;
  }

  /** Reads for the first time, then twice a second until it is closed. Resolves whether or not the first read succeeded. */
  async start(): Promise<void> {
    await this.look();
    this.#tickLater();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTick();
  }

  /** What this process may do now, by how long ago it last heard. */
  get posture(): Posture {
    this.#step({ type: 'looked', at: this.#parts.clock.monotonic() });
    return this.#feed.posture;
  }

  /** The locks of an organisation as of the newest read. */
  of(org: OrgId): readonly L[] {
    return this.#locks.get(org) ?? NO_LOCKS;
  }

  /** Reads now: call it when something said that a lock was stored. */
  async look(): Promise<void> {
    if (this.#reading >= READS_AT_ONCE) return this.#newest;
    this.#newest = this.#read();
    return this.#newest;
  }

  /**
   * Whether this process knows the locks of this moment; where it has not read for too long it reads first, and waits for that 2 s at most.
   * Await it before {@link checkCaller}: a process that was only slow then answers a little later instead of refusing.
   */
  async heard(): Promise<boolean> {
    if (this.#isHearing()) return true;
    const { clock } = this.#parts;
    const { promise: late, resolve: onLate } = Promise.withResolvers<void>();
    const cancel = clock.after(HOLD_AFTER_MS, onLate);
    await Promise.race([this.look(), late]);
    cancel();
    return this.#isHearing();
  }

  /** Whether a lock cuts the caller's requests at `now`; if none does, with the roles that no lock suspends. From memory: it reads nothing. */
  checkCaller(caller: WatchedParty, now: EpochMs): Decision<LockedOut, { readonly roles: readonly Role[] }> {
    if (!this.#isHearing()) return { allow: false, reasons: ['not-hearing'] };
    const { org, roles, project } = caller;
    const locks = this.of(org);
    if (locks.length === 0) return { allow: true, roles };
    if (!checkLocks('requests', [caller], { locks, now }).allow) return { allow: false, reasons: ['locked'] };
    return { allow: true, roles: rolesUnder(locks, roles, { now, project }) };
  }

  /** Whether a lock cuts any of `parties` off from `what` at `now`; a process that does not hear says no to everything. */
  check(what: Cut, parties: readonly WatchedParty[], now: EpochMs): Decision<LockId | 'not-hearing'> {
    if (!this.#isHearing()) return { allow: false, reasons: ['not-hearing'] };
    const reasons = parties.flatMap((party) => {
      const checked = checkLocks(what, [party], { locks: this.of(party.org), now });
      return checked.allow ? [] : checked.reasons;
    });
    return reasons.length === 0 ? { allow: true } : { allow: false, reasons };
  }

  /** Watches over an open stream; cuts it before this returns where a lock names an end of it. The answer ends the watch. */
  open({ org, cut, ...stream }: WatchedStream): { close(): void } {
    const id = this.#nextStream++ as StreamId;
    const { clock } = this.#parts;
    const event: FeedEvent = { type: 'opened', stream: { ...stream, id }, at: clock.monotonic() };
    const { state, commands } = stepFeed(
      { ...this.#feed, locks: this.of(org), streams: NO_STREAMS },
      event,
      clock.now(),
    );
    this.#cuts.set(id, cut);
    this.#streams.set(org, (this.#streams.get(org) ?? new Map<StreamId, Stream>()).set(id, { ...stream, id }));
    if (!state.streams.has(id)) for (const command of commands) if (command.type === 'cut') this.#cut(org, command);
    return { close: () => this.#forget(org, id) };
  }

  #isHearing(): boolean {
    return this.#parts.clock.monotonic() - this.#feed.heardAt < HOLD_AFTER_MS;
  }

  #tickLater(): void {
    if (this.#closed) return;
    this.#cancelTick = this.#parts.clock.after(READ_EVERY_MS, () => {
      // Only where no read came back since: a process that stood still reads first, and cuts by what it finds.
      if (!this.#heardSinceTick && this.#reading > 0) this.#step({ type: 'looked', at: this.#parts.clock.monotonic() });
      this.#heardSinceTick = false;
      void this.look();
      this.#tickLater();
    });
  }

  async #read(): Promise<void> {
    const { clock, read, log } = this.#parts;
    const began = clock.monotonic();
    this.#reading += 1;
    try {
      const locks = await read();
      if (this.#closed || began < this.#feed.heardAt) return;
      this.#locks = locks;
      this.#heardSinceTick = true;
      this.#step({ type: 'read', locks: NO_LOCKS, began, at: clock.monotonic() });
    } catch (error) {
      log.warn('locks.not_read', errorFields(error));
      this.#step({ type: 'looked', at: clock.monotonic() });
    } finally {
      this.#reading -= 1;
    }
  }

  /** Steps what all organisations share, then each that has streams which this could cut. */
  #step(event: Extract<FeedEvent, { type: 'read' | 'looked' }>): void {
    const { clock, onHeard, log } = this.#parts;
    const before = this.#feed.posture;
    this.#feed = stepFeed(this.#feed, event, clock.now()).state;
    const { posture } = this.#feed;
    if (posture !== before) log[posture === 'hearing' ? 'info' : 'warn']('locks.posture', { state: posture });
    for (const [org, streams] of this.#streams) {
      const locks = this.of(org);
      if (posture !== 'shut' && locks.length === 0) continue;
      const look: FeedEvent = { type: 'looked', at: event.at };
      for (const command of stepFeed({ ...this.#feed, locks, streams }, look, clock.now()).commands)
        if (command.type === 'cut') this.#cut(org, command);
    }
    if (event.type === 'read' || posture !== before) onHeard?.(this.#locks, posture);
  }

  #cut(
    org: OrgId,
    { stream, why }: { readonly stream: StreamId; readonly why: readonly LockId[] | 'not-hearing' },
  ): void {
    const cut = this.#cuts.get(stream);
    this.#forget(org, stream);
    cut?.(why);
  }

  #forget(org: OrgId, id: StreamId): void {
    this.#cuts.delete(id);
    const streams = this.#streams.get(org);
    streams?.delete(id);
    if (streams?.size === 0) this.#streams.delete(org);
  }
}
