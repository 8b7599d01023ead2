import { ClientError, type ClientErrorCode } from '../error.ts';
import type { RelayCloseReason } from '../relay-protocol/index.ts';

const MEANING: Readonly<Record<RelayCloseReason, readonly [ClientErrorCode, string, string]>> = {
  done: ['link-broken', 'the relay closed the link', 'try again'],
  restarting: ['link-broken', 'the relay is restarting', 'try again in a moment'],
  'bad-message': ['relay-refused', 'the relay does not understand this version', 'update the older side'],
  'peer-offline': [
    'peer-offline',
    'the other side is not connected to the relay',
    'check that it runs and can reach the relay',
  ],
  'peer-busy': ['peer-busy', 'the other side has as many links as the relay allows', 'try again later'],
  'no-answer': [
    'peer-silent',
    'the other side did not take the call',
    'check its log; it may be overloaded or cut off',
  ],
  'ticket-refused': ['relay-refused', 'the call was given up or taken already', 'the caller tries again by itself'],
  'proof-refused': [
    'relay-refused',
    'the relay refused the proof of identity',
    "dial the relay by the name that it was started with (its --name), not by another of the machine's names",
  ],
  replaced: [
    'replaced',
    'another process listens with this identity',
    'stop the other one; if you started none, treat the key as copied: remove it from the keyring',
  ],
  'too-many': [
    'relay-refused',
    'the relay has as many connections as it allows',
    'raise its limits or try again later',
  ],
  idle: ['link-broken', 'the link was idle for too long', 'try again'],
  'peer-gone': ['link-broken', 'the other side left', 'try again'],
};

/** What a relay's close code means to the side that it was sent to. */
export function relayCloseError(reason: RelayCloseReason): ClientError {
  const [code, message, next] = MEANING[reason];
  return new ClientError(code, message, { next });
}
