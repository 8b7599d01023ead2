import type { DurationMs } from '@ringfence/base';
import type { RelayChallenge, RelayCloseReason, RelayMessage, RelayTicket } from '../relay-protocol/index.ts';
import { nextReconnectDelay } from './reconnect-delay.ts';

/** Where a listener at a relay is. `delay` is the wait before the latest attempt; none before the first failure. */
export type ListenerState =
  | { readonly phase: 'connecting'; readonly delay?: DurationMs | undefined }
  | { readonly phase: 'proving'; readonly delay?: DurationMs | undefined; readonly proved: boolean }
  | { readonly phase: 'listening' }
  | { readonly phase: 'waiting'; readonly delay: DurationMs }
  | { readonly phase: 'ended'; readonly reason: 'closed' | 'replaced' };

/** What happens to a listener. */
export type ListenerEvent =
  | { readonly type: 'opened' }
  /** `undefined` is a message that is none of the protocol. */
  | { readonly type: 'message'; readonly message: RelayMessage | undefined }
  /** The connection is gone, or the attempt failed. `firstDelay` is drawn afresh for each loss. */
  | { readonly type: 'lost'; readonly reason?: RelayCloseReason | undefined; readonly firstDelay: DurationMs }
  | { readonly type: 'due' }
  | { readonly type: 'close' };

/** What a listener has to do next. */
export type ListenerCommand =
  | { readonly type: 'connect' }
  | { readonly type: 'prove'; readonly challenge: RelayChallenge }
  | { readonly type: 'accept'; readonly ticket: RelayTicket }
  | { readonly type: 'drop' }
  | { readonly type: 'wait'; readonly delay: DurationMs };

/** The next state and what to do. */
export interface ListenerStep {
  readonly state: ListenerState;
  readonly commands: readonly ListenerCommand[];
}

/** The state of a listener that is told to start, whose first command is `connect`. */
export const LISTENER_START: ListenerState = { phase: 'connecting' };

/**
 * One step of a listener. A connection that is replaced ends it for good: two processes that hold one identity must not
 * take turns. Events that come late (after `ended`, or from a connection that was dropped) change nothing.
 */
export function stepListener(state: ListenerState, event: ListenerEvent): ListenerStep {
  if (state.phase === 'ended') return { state, commands: [] };
  switch (event.type) {
    case 'close':
      return { state: { phase: 'ended', reason: 'closed' }, commands: [{ type: 'drop' }] };
    case 'opened':
      if (state.phase !== 'connecting') return { state, commands: [] };
      return { state: { phase: 'proving', delay: state.delay, proved: false }, commands: [] };
    case 'message':
      return takeMessage(state, event.message);
    case 'lost':
      return lose(state, event);
    case 'due':
      if (state.phase !== 'waiting') return { state, commands: [] };
      return { state: { phase: 'connecting', delay: state.delay }, commands: [{ type: 'connect' }] };
  }
}

function takeMessage(state: ListenerState, message: RelayMessage | undefined): ListenerStep {
  if (state.phase === 'proving' && !state.proved && message?.type === 'challenge')
    return {
      state: { ...state, proved: true },
      commands: [{ type: 'prove', challenge: message.challenge }],
    };
  if (state.phase === 'proving' && state.proved && message?.type === 'listening')
    return { state: { phase: 'listening' }, commands: [] };
  if (state.phase === 'listening' && message?.type === 'incoming')
    return { state, commands: [{ type: 'accept', ticket: message.ticket }] };
  return { state, commands: [{ type: 'drop' }] };
}

function lose(state: ListenerState, event: Extract<ListenerEvent, { type: 'lost' }>): ListenerStep {
  if (event.reason === 'replaced')
    return { state: { phase: 'ended', reason: 'replaced' }, commands: [{ type: 'drop' }] };
  if (state.phase === 'waiting') return { state, commands: [] };
  const before = state.phase === 'connecting' || state.phase === 'proving' ? state.delay : undefined;
  const delay = before === undefined ? event.firstDelay : nextReconnectDelay(before);
  return { state: { phase: 'waiting', delay }, commands: [{ type: 'wait', delay }] };
}
