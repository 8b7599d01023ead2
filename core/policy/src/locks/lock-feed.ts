import type { Brand, EpochMs, LockId, MonotonicMs } from '@ringfence/base';
import { checkLocks } from './cut.ts';
import type { Lock, Party } from './lock.ts';

/** A stream that this process holds open, by a number of its own. */
export type StreamId = Brand<number, 'StreamId'>;

/** An open stream and both its ends; `control` is a control link, over which nobody is handed anything. */
export interface Stream {
  readonly id: StreamId;
  readonly control: boolean;
  readonly parties: readonly Party[];
}

/** `hearing`: all goes on. `held`: nothing begins, nothing changes. `shut`: and what was open is cut, but for control links. */
export type Posture = 'hearing' | 'held' | 'shut';

/** What one process knows of locks, and what it holds open. */
export interface LockFeed {
  readonly posture: Posture;
  readonly locks: readonly Lock[];
  /** When the newest read that succeeded *began*: a lock stored before then is in `locks`. */
  readonly heardAt: MonotonicMs;
  readonly streams: ReadonlyMap<StreamId, Stream>;
}

/** What the feed is told; `at` by a clock that never goes back. */
export type FeedEvent =
  /** Every lock that there is, as a read that began at `began` found them. */
  | { readonly type: 'read'; readonly locks: readonly Lock[]; readonly began: MonotonicMs; readonly at: MonotonicMs }
  | { readonly type: 'opened'; readonly stream: Stream; readonly at: MonotonicMs }
  | { readonly type: 'closed'; readonly stream: StreamId; readonly at: MonotonicMs }
  | { readonly type: 'looked'; readonly at: MonotonicMs };

/** What to do now, before anything else. */
export type FeedCommand =
  | { readonly type: 'cut'; readonly stream: StreamId; readonly why: readonly LockId[] | 'not-hearing' }
  | { readonly type: 'posture'; readonly posture: Posture };

/** The next state and what to do. */
export interface FeedStep {
  readonly state: LockFeed;
  readonly commands: readonly FeedCommand[];
}

/** Without a read that began so lately nothing new begins, in milliseconds: the time in which a lock has to bite. */
export const HOLD_AFTER_MS = 2_000;
/** Without one that began so lately what is open is cut, in milliseconds. */
export const SHUT_AFTER_MS = 5_000;
/** How often the locks are read, woken or not, in milliseconds; and the longest that a read may take. */
export const READ_EVERY_MS = 500;

/** A process that has heard of no lock yet, and so begins nothing. */
export const UNHEARD: LockFeed = {
  posture: 'shut',
  locks: [],
  heardAt: -Infinity as MonotonicMs,
  streams: new Map(),
};

/** One step of a process's watch over locks; `now` is the wall clock's, for locks that end. */
export function stepFeed(state: LockFeed, event: FeedEvent, now: EpochMs): FeedStep {
  const told = hear(state, event);
  const posture = postureAt(told.heardAt, event.at);
  const turned: FeedCommand[] = posture === state.posture ? [] : [{ type: 'posture', posture }];
  const opened = event.type === 'opened' ? event.stream.id : undefined;
  const cuts = [...told.streams.values()].flatMap((stream) => cutOf(stream, { ...told, posture }, { opened, now }));
  const streams = new Map(told.streams);
  for (const { stream } of cuts) streams.delete(stream);
  return { state: { ...told, posture, streams }, commands: [...turned, ...cuts] };
}

function hear(state: LockFeed, event: FeedEvent): LockFeed {
  switch (event.type) {
    case 'read':
      // Two reads may overtake each other; the one that began later knows more.
      return event.began < state.heardAt ? state : { ...state, locks: event.locks, heardAt: event.began };
    case 'opened':
      return { ...state, streams: new Map(state.streams).set(event.stream.id, event.stream) };
    case 'closed': {
      const streams = new Map(state.streams);
      streams.delete(event.stream);
      return { ...state, streams };
    }
    case 'looked':
      return state;
  }
}

function postureAt(heardAt: MonotonicMs, at: MonotonicMs): Posture {
  const silentMs = at - heardAt;
  if (silentMs < HOLD_AFTER_MS) return 'hearing';
  return silentMs < SHUT_AFTER_MS ? 'held' : 'shut';
}

type CutCommand = Extract<FeedCommand, { type: 'cut' }>;

function cutOf(
  stream: Stream,
  { posture, locks }: Pick<LockFeed, 'posture' | 'locks'>,
  { opened, now }: { readonly opened: StreamId | undefined; readonly now: EpochMs },
): CutCommand[] {
  const locked = checkLocks('streams', stream.parties, { locks, now });
  if (!locked.allow) return [{ type: 'cut', stream: stream.id, why: locked.reasons }];
  const deaf = posture === 'shut' && !stream.control;
  const tooLate = posture !== 'hearing' && stream.id === opened;
  return deaf || tooLate ? [{ type: 'cut', stream: stream.id, why: 'not-hearing' }] : [];
}
