import { newId, type Clock, type Log, type Rng } from '@ringfence/base';
import { LockWatch, type LocksByOrg } from '@ringfence/policy/locks';
import {
  byOrganisation,
  LockDesk,
  notLifted,
  readLocks,
  storedLock,
  targetColumns,
  type LockNote,
  type StoredLock,
} from '@ringfence/store/locks';
import type { AccessBook } from '../access/access-book.ts';
import type { Owner } from '../context.ts';
import { NewestNumber } from '../http/newest-number.ts';
import type { RecordEvent } from '../ledger/record-event.ts';
import { enqueue } from '../links/outbox.ts';
import type { CustodianStore, Tx } from '../store/open-store.ts';
import { countingForLocks } from './counting.ts';
import type { Desk, Locks } from './kept-locks.ts';

/** What changes of locks work with. */
export interface LockParts {
  readonly store: CustodianStore;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
  readonly record: RecordEvent;
  readonly owner: Owner;
  readonly access: AccessBook;
  /** Called after a read that found other locks than the one before. */
  readonly tell: readonly (() => void)[];
  /** Hands what waits to the control plane. */
  readonly wake: () => void;
}

/** The watch over this organisation's locks, and how officers change them. */
export function openLocks(parts: LockParts): {
  readonly locks: Locks;
  readonly lockDesk: Desk;
  readonly lockNews: NewestNumber;
} {
  const { store, clock, log, rng, record, access, owner, wake } = parts;
  const lockNews = new NewestNumber(clock);
  const lockDesk: Desk = new LockDesk<Tx>({
    clock,
    log,
    newId: () => newId('lock', rng),
    run: (org, change) =>
      store.withOrg(org, async (tx) => {
        // One after the other: two officers who lock each other at once would else both be let.
        await tx.selectFrom('organisation').select('org').forUpdate().execute();
        return change(tx);
      }),
    counting: async (_, __, now) => {
      if (owner.claimed === undefined) throw new TypeError('locks come after the claim');
      return countingForLocks({ access, clock, locks }, owner.claimed, now);
    },
    note: (tx, note) => noteLock(record, tx, note),
    look: async () => {
      await locks.look();
      wake();
    },
  });
  let known = '';
  const onHeard = (held: LocksByOrg<StoredLock>): void => {
    lockDesk.tend(held);
    const own = owner.claimed === undefined ? [] : (held.get(owner.claimed.org) ?? []);
    const now = own.map(({ id, term }) => `${id} ${term}`).join();
    if (now === known) return;
    known = now;
    lockNews.next();
    for (const tell of parts.tell) tell();
  };
  const read = async (): Promise<LocksByOrg<StoredLock>> =>
    byOrganisation((await store.querySystem('held-locks', notLifted, { readOnly: true })).map(storedLock));
  const locks: Locks = new LockWatch<StoredLock>({ clock, log, read, onHeard });
  return { locks, lockDesk, lockNews };
}

/** Writes down what became of a lock, and tells the control plane of those on what it knows. */
export async function noteLock(record: RecordEvent, tx: Tx, note: LockNote): Promise<void> {
  const { id, org, target, source, until } = note.lock;
  const asker = note.officer === undefined ? {} : { asker: { device: note.officer.device } };
  if (note.type === 'set') {
    const named = { kind: target.kind, target: targetColumns(target).target };
    await record(tx, org, {
      type: 'lock-set',
      lock: id,
      ...named,
      source: source === 'fork' ? 'fork' : 'officer',
      until,
      ...asker,
    });
  } else if (note.type === 'ended')
    await record(tx, org, { type: 'lock-ended', lock: id, by: note.by === 'time' ? 'time' : 'quorum', ...asker });
  else await record(tx, org, { type: 'lock-confirmed', lock: id, ...asker });
  await tellControlPlane(tx, note.lock);
  // The mark of a copied agent goes with its lock.
  if (note.type === 'ended' && source === 'fork' && target.kind === 'agent')
    await tx
      .updateTable('agent')
      .set({ locked: null })
      .where('agent', '=', target.agent)
      .where('removed', '=', false)
      .execute();
}

/** One word for each target: the longest of the locks that hold on it. */
async function tellControlPlane(tx: Tx, { org, target }: StoredLock): Promise<void> {
  if (target.kind !== 'agent' && target.kind !== 'device' && target.kind !== 'site') return;
  const of = targetColumns(target).target;
  const held = (await readLocks(tx)).filter(
    (lock) => lock.target.kind === target.kind && targetColumns(lock.target).target === of,
  );
  const until = held.some((lock) => lock.until === null)
    ? null
    : held.reduce((latest, lock) => Math.max(latest, lock.until ?? 0), 0);
  const body = { target: of as never, locked: held.length > 0, until: held.length > 0 ? (until as never) : null };
  await enqueue(tx, org, { name: 'lock-word', body });
}
