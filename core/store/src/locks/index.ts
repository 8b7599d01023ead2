export {
  decideLock,
  type DecidedLock,
  type LockWish,
  type LockWishEvent,
  type LockWishRefusal,
} from './decide-lock.ts';
export { LockDesk, type ActorOf, type LockDeskParts, type LockNote, type NotedOfficer } from './lock-desk.ts';
export { lockRefused, wishRefused, type LockRefused } from './lock-refusals.ts';
export { LOCK_TABLE } from './lock-table.ts';
export { lockViewOf } from './lock-view.ts';
export { closeEnded, dropLock, setLock, takeLock, type TakenLock, type WantedLock } from './set-lock.ts';
export {
  byOrganisation,
  notLifted,
  readLocks,
  storedLock,
  targetColumns,
  type LockRow,
  type LockTable,
  type LockSource,
  type StoredLock,
} from './stored-lock.ts';
