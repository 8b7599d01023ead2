/**
 * Why a relay closes a WebSocket: RFC 6455 §7.4 codes 1000 and 1012, and codes of the private range from 4000. The
 * numbers are wire format.
 */
export const RELAY_CLOSE = {
  done: 1000,
  restarting: 1012,
  'bad-message': 4000,
  'peer-offline': 4001,
  'peer-busy': 4002,
  'no-answer': 4003,
  'ticket-refused': 4004,
  'proof-refused': 4005,
  replaced: 4006,
  'too-many': 4007,
  idle: 4008,
  'peer-gone': 4009,
} as const;

/** The name of a close code. */
export type RelayCloseReason = keyof typeof RELAY_CLOSE;

const REASON_OF = new Map(Object.entries(RELAY_CLOSE).map(([reason, code]) => [code, reason as RelayCloseReason]));

/** The name of the close code that a relay sent; undefined for codes that relays do not send. */
export function relayCloseReason(code: number): RelayCloseReason | undefined {
  return REASON_OF.get(code as (typeof RELAY_CLOSE)[RelayCloseReason]);
}
