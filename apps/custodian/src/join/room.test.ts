import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_OFFERS } from '@ringfence/protocol/messages';
import { checkRoom } from './joining-machine.ts';

test('an organisation takes in as many servers as its control plane takes offers, and says what to do about one more', () => {
  assert.doesNotThrow(() => checkRoom(MOST_OFFERS - 1));
  assert.throws(() => checkRoom(MOST_OFFERS), { code: 'too-much', next: /agent remove/ });
});
