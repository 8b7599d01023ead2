import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ManualClock, silentLog } from '@ringfence/base';
import { untilRoom } from './until-room.ts';

const full = (): Error => Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
const open = new AbortController().signal;

test('a write that a full disk refuses is made when there is room', async () => {
  const clock = new ManualClock();
  let [tried, room] = [0, false];
  const written = untilRoom({ clock, log: silentLog }, open, () => {
    tried += 1;
    if (!room) throw full();
  });
  for (let turn = 0; turn < 3; turn += 1) {
    await Promise.resolve();
    clock.advance(500);
  }
  assert.ok(tried >= 2);
  room = true;
  await Promise.resolve();
  clock.advance(500);
  await written;
});

test('what else a write throws is thrown at once, and everything when its process stops', async () => {
  const context = { clock: new ManualClock(), log: silentLog };
  let tried = 0;
  const failing = (error: Error) => (): void => {
    tried += 1;
    throw error;
  };
  await assert.rejects(untilRoom(context, open, failing(new Error('io'))), { message: 'io' });
  await assert.rejects(untilRoom(context, AbortSignal.abort(), failing(full())), { code: 'ENOSPC' });
  assert.equal(tried, 2);
});
