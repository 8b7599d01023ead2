import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RELAY_CLOSE, relayCloseReason } from './close-code.ts';

test('every reason has its own code, which the protocol fixes', () => {
  assert.deepEqual(RELAY_CLOSE, {
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
  });
  for (const [reason, code] of Object.entries(RELAY_CLOSE)) assert.equal(relayCloseReason(code), reason);
  for (const code of [1001, 1006, 1009, 4010, 0]) assert.equal(relayCloseReason(code), undefined);
});
