import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  FRESH_SPLICE,
  HIGH_WATER,
  LOW_WATER,
  stepSplice,
  type End,
  type Splice,
  type SpliceCommand,
  type SpliceEvent,
} from './splice.ts';

function run(...events: SpliceEvent[]): { splice: Splice; last: readonly SpliceCommand[] } {
  let splice = FRESH_SPLICE;
  let last: readonly SpliceCommand[] = [];
  for (const event of events) {
    const step = stepSplice(splice, event);
    splice = step.splice;
    last = step.commands;
  }
  return { splice, last };
}

const message = (from: End, bytes: number): SpliceEvent => ({ type: 'message', from, bytes, isBinary: true });
const flushed = (to: End, bytes: number): SpliceEvent => ({ type: 'flushed', to, bytes });
const closed = (end: End): SpliceEvent => ({ type: 'closed', end });

test('messages go to the other end', () => {
  assert.deepEqual(run(message('caller', 10)).last, [{ type: 'forward', to: 'taker' }]);
  assert.deepEqual(run(message('taker', 10)).last, [{ type: 'forward', to: 'caller' }]);
});

test('reading stops at the high-water mark and goes on at the low one, each direction by itself', () => {
  const full = [message('caller', HIGH_WATER - 1), message('caller', 1)];
  assert.deepEqual(run(...full).last, [
    { type: 'forward', to: 'taker' },
    { type: 'pause', end: 'caller' },
  ]);
  assert.deepEqual(run(...full, message('taker', 5)).last, [{ type: 'forward', to: 'caller' }]);
  const almost = [...full, flushed('taker', HIGH_WATER - LOW_WATER - 1)];
  assert.deepEqual(run(...almost).last, []);
  assert.deepEqual(run(...almost, flushed('taker', 1)).last, [{ type: 'resume', end: 'caller' }]);
});

test('an end that left is told to the other one, kindly when both had finished', () => {
  assert.deepEqual(run(closed('caller')).last, [{ type: 'close', end: 'taker', reason: 'peer-gone' }]);
  assert.deepEqual(run(message('caller', 0), closed('caller')).last, [
    { type: 'close', end: 'taker', reason: 'peer-gone' },
  ]);
  assert.deepEqual(run(message('caller', 0), message('taker', 0), closed('taker')).last, [
    { type: 'close', end: 'caller', reason: 'done' },
  ]);
  assert.deepEqual(run(closed('caller'), closed('taker')).last, []);
});

test('text, bytes after the end, and silence close both', () => {
  const refused = [
    { type: 'close', end: 'caller', reason: 'bad-message' },
    { type: 'close', end: 'taker', reason: 'peer-gone' },
  ];
  assert.deepEqual(run({ type: 'message', from: 'caller', bytes: 3, isBinary: false }).last, refused);
  assert.deepEqual(run(message('caller', 0), message('caller', 1)).last, refused);
  assert.deepEqual(run({ type: 'idle' }).last, [
    { type: 'close', end: 'caller', reason: 'idle' },
    { type: 'close', end: 'taker', reason: 'idle' },
  ]);
});

test('with ends that obey, never more than the mark and one message wait, all bytes arrive, and nobody stays paused', () => {
  const MESSAGE = 65_536;
  const move = fc.tuple(fc.constantFrom<End>('caller', 'taker'), fc.boolean(), fc.integer({ min: 1, max: MESSAGE }));
  fc.assert(
    fc.property(fc.array(move, { maxLength: 200 }), (moves) => {
      let splice = FRESH_SPLICE;
      const paused = { caller: false, taker: false };
      const waiting = { caller: [] as number[], taker: [] as number[] };
      const step = (event: SpliceEvent): void => {
        const next = stepSplice(splice, event);
        splice = next.splice;
        for (const command of next.commands) {
          if (command.type === 'pause' || command.type === 'resume') {
            assert.equal(paused[command.end], command.type === 'resume', 'told once');
            paused[command.end] = command.type === 'pause';
          }
          if (command.type === 'forward' && event.type === 'message') waiting[command.to].push(event.bytes);
        }
        for (const end of ['caller', 'taker'] as const) {
          const sum = waiting[end].reduce((total, bytes) => total + bytes, 0);
          assert.ok(sum < HIGH_WATER + MESSAGE);
        }
      };
      for (const [end, isMessage, bytes] of moves) {
        if (isMessage && !paused[end]) step(message(end, bytes));
        const first = isMessage ? undefined : waiting[end].shift();
        if (first !== undefined) step(flushed(end, first));
      }
      for (const end of ['caller', 'taker'] as const)
        for (let first = waiting[end].shift(); first !== undefined; first = waiting[end].shift())
          step(flushed(end, first));
      assert.deepEqual(paused, { caller: false, taker: false });
      assert.deepEqual([splice.caller.queued, splice.taker.queued], [0, 0]);
    }),
    { numRuns: 500 },
  );
});
