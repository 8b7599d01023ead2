import { errorFields, type Clock, type EpochMs, type LockId, type Log, type OrgId } from '@ringfence/base';
import type { Decision } from '@ringfence/policy';
import type { Officer, ProposalContext } from '@ringfence/policy/assurance';
import type { LockRefusal, LocksByOrg, LockTarget } from '@ringfence/policy/locks';
import type { QueryExecutorProvider } from 'kysely';
import {
  decideLock,
  type DecidedLock,
  type LockWish,
  type LockWishEvent,
  type LockWishRefusal,
} from './decide-lock.ts';
import { dueWishes } from './due-wishes.ts';
import { closeEnded, setLock } from './set-lock.ts';
import type { StoredLock } from './stored-lock.ts';

/** What became of a lock, for the ledger and for all that follows, in the transaction of the change. */
export type LockNote =
  | { readonly type: 'set' | 'confirmed'; readonly lock: StoredLock; readonly officer?: NotedOfficer }
  | {
      readonly type: 'ended';
      readonly lock: StoredLock;
      readonly by: 'quorum' | 'time' | 'custodian';
      readonly officer?: NotedOfficer;
    };

/** Whose word it was, or whose was the last that it took; none where time or another process brought it about. */
export type NotedOfficer = Pick<Officer, 'device' | 'member'>;

/** Who acts, as the officers of this moment are named. */
export type ActorOf = (officers: readonly Officer[]) => NotedOfficer;

/** What a process's locks work with. */
export interface LockDeskParts<Tx extends QueryExecutorProvider> {
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: () => LockId;
  /** Runs a change of an organisation, one after the other. */
  readonly run: <T>(org: OrgId, change: (tx: Tx) => Promise<T>) => Promise<T>;
  /** Officers, delays and what else counts at this moment; how sure who asks is was asked of the request. */
  readonly counting: (tx: Tx, org: OrgId, now: EpochMs) => Promise<ProposalContext>;
  readonly note: (tx: Tx, note: LockNote) => Promise<void>;
  /** After a change was committed: this process reads its locks. */
  readonly look: () => Promise<void>;
}

/** How officers set, confirm and lift locks, alike at both processes; what follows from a lock is the process's own. */
export class LockDesk<Tx extends QueryExecutorProvider> {
  readonly #parts: LockDeskParts<Tx>;
  #tending = false;

  constructor(parts: LockDeskParts<Tx>) {
    this.#parts = parts;
  }

  /** One officer's lock; it bites at this process when this resolves. */
  async set(
    org: OrgId,
    actorOf: ActorOf,
    target: LockTarget,
  ): Promise<Decision<LockRefusal | 'held', { readonly lock: StoredLock }>> {
    const { clock, newId, run, counting, note, look } = this.#parts;
    const set = await run(org, async (tx) => {
      const now = clock.now();
      const { officers } = await counting(tx, org, now);
      const by = actorOf(officers);
      const stored = await setLock(tx, { id: newId(), org, target, by, officers, now });
      if (stored.allow) await note(tx, { type: 'set', lock: stored.lock, officer: by });
      return stored;
    });
    if (set.allow) await look();
    return set;
  }

  /** An officer agrees that a lock is confirmed or lifted; `term` is the one that they saw. */
  async agree(
    org: OrgId,
    actorOf: ActorOf,
    { lock, wants, term }: { readonly lock: LockId; readonly wants: LockWish; readonly term: number },
  ): Promise<Decision<LockWishRefusal, DecidedLock>> {
    const { clock, run, counting, look } = this.#parts;
    const decided = await run(org, async (tx) => {
      const at = clock.now();
      const context = await counting(tx, org, at);
      const by = { ...actorOf(context.officers), factors: [{ kind: 'device-key', at }] as const };
      return this.#decide(tx, { lock, wants, event: { type: 'approved', by, term } }, context);
    });
    if (decided.allow) await look();
    return decided;
  }

  /** After each read: closes locks that have ended and counts the delays of lone officers on; one round at a time. */
  tend(locks: LocksByOrg<StoredLock>): void {
    if (this.#tending || locks.size === 0) return;
    this.#tending = true;
    void this.#tend(locks).finally(() => {
      this.#tending = false;
    });
  }

  async #tend(locks: LocksByOrg<StoredLock>): Promise<void> {
    const { clock, log, run, counting, note } = this.#parts;
    const now = clock.now();
    for (const [org, held] of locks)
      try {
        if (held.some(({ until }) => until !== null && until <= now))
          await run(org, async (tx) => {
            for (const lock of await closeEnded(tx, now)) await note(tx, { type: 'ended', lock, by: 'time' });
          });
        for (const lock of held)
          for (const wants of dueWishes(lock, now))
            await run(org, async (tx) =>
              this.#decide(tx, { lock: lock.id, wants, event: { type: 'looked' } }, await counting(tx, org, now)),
            );
      } catch (error) {
        log.warn('locks.not_tended', errorFields(error));
      }
  }

  async #decide(
    tx: Tx,
    wish: { readonly lock: LockId; readonly wants: LockWish; readonly event: LockWishEvent },
    context: ProposalContext,
  ): Promise<Decision<LockWishRefusal, DecidedLock>> {
    const decided = await decideLock(tx, wish, context);
    if (!decided.allow || !decided.done) return decided;
    const { lock } = decided;
    const noted = { lock, ...(wish.event.type === 'approved' ? { officer: wish.event.by } : {}) };
    await this.#parts.note(
      tx,
      wish.wants === 'lift' ? { type: 'ended', by: 'quorum', ...noted } : { type: 'confirmed', ...noted },
    );
    return decided;
  }
}
