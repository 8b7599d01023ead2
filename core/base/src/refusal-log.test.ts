import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogFields } from './log.ts';
import { ManualClock } from './manual-clock.ts';
import { RefusalLog } from './refusal-log.ts';

test('refusals are told, other answers are not, and a flood is counted', () => {
  const clock = new ManualClock();
  const lines: [event: string, fields: LogFields | undefined][] = [];
  const refusals = new RefusalLog({ info: (event, fields) => void lines.push([event, fields]) }, clock);
  for (const status of [200, 404, 409, 503]) refusals.note({ status, code: 'ordinary' });
  assert.deepEqual(lines, []);
  for (let each = 0; each < 1_000; each += 1) refusals.note({ status: 401, code: 'not-authenticated' });
  assert.equal(lines.length, 20);
  assert.deepEqual(lines[0], ['api.refused', { status: 401, code: 'not-authenticated' }]);
  clock.advance(1_000);
  refusals.note({ status: 403, code: 'not-authorised' });
  assert.deepEqual(lines.slice(20), [
    ['api.refusals-left-out', { count: 980 }],
    ['api.refused', { status: 403, code: 'not-authorised' }],
  ]);
});
