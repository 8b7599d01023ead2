import type { RelayCloseReason } from '@ringfence/client/relay-protocol';

/** One end of a joined link: who called, or who took the call. */
export type End = 'caller' | 'taker';

/** What is known of one end. */
interface EndState {
  /** Bytes given to this end's socket that the kernel has not taken. */
  readonly queued: number;
  /** This end is not read, because the other one lags. */
  readonly paused: boolean;
  /** This end said that it sends no more. */
  readonly ended: boolean;
}

/** A joined link. */
export interface Splice {
  readonly caller: EndState;
  readonly taker: EndState;
  readonly closed: boolean;
}

/** What happens on a joined link. */
export type SpliceEvent =
  /** A message of `bytes` came from an end; an empty one ends its direction. */
  | { readonly type: 'message'; readonly from: End; readonly bytes: number; readonly isBinary: boolean }
  /** The kernel took `bytes` that were queued for an end. */
  | { readonly type: 'flushed'; readonly to: End; readonly bytes: number }
  | { readonly type: 'closed'; readonly end: End }
  /** No byte for the idle time. */
  | { readonly type: 'idle' };

/** What to do about it; `forward` passes the message of the event on. */
export type SpliceCommand =
  | { readonly type: 'forward'; readonly to: End }
  | { readonly type: 'pause'; readonly end: End }
  | { readonly type: 'resume'; readonly end: End }
  | { readonly type: 'close'; readonly end: End; readonly reason: RelayCloseReason };

/** Reading an end pauses when this many bytes are queued for the other one, … */
export const HIGH_WATER = 131_072;
/** … and goes on when no more than this many are. */
export const LOW_WATER = 32_768;

const FRESH: EndState = { queued: 0, paused: false, ended: false };

/** A link at the moment at which its ends are joined. */
export const FRESH_SPLICE: Splice = { caller: FRESH, taker: FRESH, closed: false };

/** One step of a link: bytes go on unread and unchanged, and never more than the high-water mark plus one read wait. */
export function stepSplice(splice: Splice, event: SpliceEvent): { splice: Splice; commands: readonly SpliceCommand[] } {
  if (splice.closed) return { splice, commands: [] };
  switch (event.type) {
    case 'message':
      return takeMessage(splice, event);
    case 'flushed':
      return takeFlushed(splice, event.to, event.bytes);
    case 'closed':
      return closeBoth(splice, [[other(event.end), 'peer-gone']]);
    case 'idle':
      return closeBoth(splice, [
        ['caller', 'idle'],
        ['taker', 'idle'],
      ]);
  }
}

function takeMessage(
  splice: Splice,
  event: Extract<SpliceEvent, { type: 'message' }>,
): { splice: Splice; commands: readonly SpliceCommand[] } {
  const { from, bytes } = event;
  const to = other(from);
  if (!event.isBinary || splice[from].ended)
    return closeBoth(splice, [
      [from, 'bad-message'],
      [to, 'peer-gone'],
    ]);
  const queued = splice[to].queued + bytes;
  const ended = bytes === 0;
  const pause = queued >= HIGH_WATER && !splice[from].paused;
  const next = {
    ...splice,
    [from]: { ...splice[from], ended, paused: splice[from].paused || pause },
    [to]: { ...splice[to], queued },
  };
  const commands: SpliceCommand[] = [{ type: 'forward', to }];
  if (pause) commands.push({ type: 'pause', end: from });
  return { splice: next, commands };
}

function takeFlushed(splice: Splice, to: End, bytes: number): { splice: Splice; commands: readonly SpliceCommand[] } {
  const from = other(to);
  const queued = splice[to].queued - bytes;
  const resume = splice[from].paused && queued <= LOW_WATER;
  const next = {
    ...splice,
    [to]: { ...splice[to], queued },
    [from]: { ...splice[from], paused: splice[from].paused && !resume },
  };
  return { splice: next, commands: resume ? [{ type: 'resume', end: from }] : [] };
}

function closeBoth(
  splice: Splice,
  closes: readonly (readonly [End, RelayCloseReason])[],
): { splice: Splice; commands: readonly SpliceCommand[] } {
  const finished = splice.caller.ended && splice.taker.ended;
  return {
    splice: { ...splice, closed: true },
    commands: closes.map(([end, reason]) => ({ type: 'close', end, reason: finished ? 'done' : reason })),
  };
}

function other(end: End): End {
  return end === 'caller' ? 'taker' : 'caller';
}
