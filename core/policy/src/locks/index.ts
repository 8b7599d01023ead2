export { checkLocks, CUT_BY, CUTS, type Cut } from './cut.ts';
export { holds, names, rolesUnder, type Lock, type LockTarget, type Party, type TokenId } from './lock.ts';
export {
  HOLD_AFTER_MS,
  READ_EVERY_MS,
  SHUT_AFTER_MS,
  stepFeed,
  UNHEARD,
  type FeedCommand,
  type FeedEvent,
  type FeedStep,
  type LockFeed,
  type Posture,
  type Stream,
  type StreamId,
} from './lock-feed.ts';
export {
  HASTY_LOCK_MS,
  mayLift,
  mayLock,
  NOT_AGAIN_MS,
  officerUnder,
  type LockRefusal,
  type LockSetting,
} from './may-lock.ts';
export {
  LockWatch,
  type LockedOut,
  type LocksByOrg,
  type LockWatchParts,
  type WatchedParty,
  type WatchedStream,
} from './lock-watch.ts';
