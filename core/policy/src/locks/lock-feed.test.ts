import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, newId, seededRng, type LockId, type MonotonicMs } from '@ringfence/base';
import fc from 'fast-check';
import {
  HOLD_AFTER_MS,
  READ_EVERY_MS,
  SHUT_AFTER_MS,
  stepFeed,
  UNHEARD,
  type FeedEvent,
  type FeedStep,
  type Lock,
  type LockFeed,
  type Stream,
  type StreamId,
} from './index.ts';

const rng = seededRng('lock feed');
const wall = epochMs(1_800_000_000_000);
const at = (ms: number): MonotonicMs => ms as MonotonicMs;
const devices = [newId('device', rng), newId('device', rng)] as const;
const lockOn = (which: 0 | 1, until: number | null = null): Lock => ({
  id: `lck_${which}` as LockId,
  target: { kind: 'device', device: devices[which] },
  until: until === null ? null : epochMs(until),
});
const stream = (id: number, which: 0 | 1, control = false): Stream => ({
  id: id as StreamId,
  control,
  parties: [{ device: devices[which], roles: [] }],
});
const read = (began: number, ...locks: Lock[]): FeedEvent => ({ type: 'read', locks, began: at(began), at: at(began) });
const opened = (given: Stream, ms: number): FeedEvent => ({ type: 'opened', stream: given, at: at(ms) });
const looked = (ms: number): FeedEvent => ({ type: 'looked', at: at(ms) });

function run(...events: FeedEvent[]): FeedStep {
  let step: FeedStep = { state: UNHEARD, commands: [] };
  for (const event of events) step = stepFeed(step.state, event, epochMs(wall + event.at));
  return step;
}
const cuts = ({ commands }: FeedStep) => commands.flatMap((command) => (command.type === 'cut' ? [command] : []));

describe('the watch over locks', () => {
  it('begins nothing before it has heard', () => {
    const step = run(opened(stream(1, 0), 0));
    assert.deepEqual(cuts(step), [{ type: 'cut', stream: 1, why: 'not-hearing' }]);
    assert.equal(step.state.streams.size, 0);
    assert.deepEqual(run(read(0)).commands, [{ type: 'posture', posture: 'hearing' }]);
  });

  it('cuts what is open with the read that brings the lock, and only that', () => {
    const step = run(read(0), opened(stream(1, 0), 1), opened(stream(2, 1), 2), read(500, lockOn(0)));
    assert.deepEqual(step.commands, [{ type: 'cut', stream: 1, why: ['lck_0'] }]);
    assert.deepEqual([...step.state.streams.keys()], [2]);
    assert.deepEqual(run(read(0, lockOn(0)), opened(stream(1, 0), 1)).commands, [
      { type: 'cut', stream: 1, why: ['lck_0'] },
    ]);
    const lifted = run(read(0, lockOn(0)), read(500), opened(stream(1, 0), 501));
    assert.deepEqual([lifted.commands, lifted.state.streams.size], [[], 1]);
  });

  it('lets back in by the clock when a lock has ended', () => {
    const until = wall + 1_000;
    assert.equal(cuts(run(read(0, lockOn(0, until)), opened(stream(1, 0), 999))).length, 1);
    assert.equal(cuts(run(read(0, lockOn(0, until)), opened(stream(1, 0), 1_000))).length, 0);
  });

  it('does not unlearn by a read that began earlier and ended later', () => {
    const late: FeedEvent = { type: 'read', locks: [], began: at(400), at: at(700) };
    assert.equal(cuts(run(read(500, lockOn(0)), late, opened(stream(1, 0), 701))).length, 1);
  });

  it('holds at 2 s without a read, and shuts at 5 s but for control links', () => {
    const open = [read(0), opened(stream(1, 0), 1), opened(stream(2, 1, true), 1)];
    assert.deepEqual(run(...open, looked(HOLD_AFTER_MS - 1)).commands, []);
    assert.deepEqual(run(...open, looked(HOLD_AFTER_MS)).commands, [{ type: 'posture', posture: 'held' }]);
    assert.equal(cuts(run(...open, looked(HOLD_AFTER_MS), opened(stream(3, 1, true), HOLD_AFTER_MS))).length, 1);
    assert.deepEqual(run(...open, looked(SHUT_AFTER_MS)).commands, [
      { type: 'posture', posture: 'shut' },
      { type: 'cut', stream: 1, why: 'not-hearing' },
    ]);
    const slow: FeedEvent = { type: 'read', locks: [], began: at(0), at: at(HOLD_AFTER_MS) };
    assert.equal(run(slow).state.posture, 'held', 'a read that took 2 s says nothing about now');
    assert.equal(run(...open, looked(SHUT_AFTER_MS), read(SHUT_AFTER_MS)).state.posture, 'hearing');
  });

  it('forgets streams that closed', () => {
    const closed: FeedEvent = { type: 'closed', stream: 1 as StreamId, at: at(2) };
    assert.deepEqual(run(read(0), opened(stream(1, 0), 1), closed, read(3, lockOn(0))).commands, []);
  });
});

describe('any schedule of reads, some of which fail or are slow', () => {
  /** One replica for 20 s: a read begins each 500 ms, fails or takes a while; device 0 is locked at `lockedAt`, and tries to get in all the time. */
  const schedule = fc.record({
    lockedAt: fc.integer({ min: 0, max: 12_000 }),
    reads: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.integer({ min: 0, max: 3_000 }) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 200 }) },
        fc.constant('fails' as const),
      ),
      { minLength: 40, maxLength: 40 },
    ),
    silentFrom: fc.integer({ min: 0, max: 30_000 }),
  });

  it('lets a locked device begin nothing after 2 s and keep nothing after 5 s; without failures nothing after a read', () => {
    let openedInTime = 0;
    fc.assert(
      fc.property(schedule, ({ lockedAt, reads, silentFrom }) => {
        const events = eventsOf({ lockedAt, reads, silentFrom });
        let state: LockFeed = UNHEARD;
        for (const event of events) {
          ({ state } = stepFeed(state, event, epochMs(wall + event.at)));
          const mine = [...state.streams.values()].filter(({ parties }) => parties[0]?.device === devices[0]);
          const begun = event.type === 'opened' && mine.some(({ id }) => id === event.stream.id);
          if (begun && event.at < lockedAt) openedInTime += 1;
          assert.ok(!begun || event.at < lockedAt + HOLD_AFTER_MS, 'began after 2 s');
          assert.ok(event.at < lockedAt + SHUT_AFTER_MS || mine.length === 0, 'open after 5 s');
          const knew = event.type === 'read' && event.began >= lockedAt;
          assert.ok(!knew || mine.length === 0, 'open after a read that knew');
        }
      }),
      { numRuns: 400 },
    );
    assert.ok(openedInTime > 1_000, `only ${openedInTime} streams were ever let in`);
  });

  function eventsOf({
    lockedAt,
    reads,
    silentFrom,
  }: {
    readonly lockedAt: number;
    readonly reads: readonly (number | 'fails')[];
    readonly silentFrom: number;
  }): FeedEvent[] {
    const heard = reads.flatMap((tookMs, index): FeedEvent[] => {
      const began = index * READ_EVERY_MS;
      if (tookMs === 'fails' || began >= silentFrom) return [];
      // A read sees what was committed before it began; of what came during it, it may see nothing.
      const locks = began >= lockedAt ? [lockOn(0)] : [];
      return [{ type: 'read', locks, began: at(began), at: at(began + tookMs) }];
    });
    const tries = Array.from({ length: 200 }, (_, index) => opened(stream(index, 0), index * 100));
    const looks = Array.from({ length: 200 }, (_, index) => looked(index * 100 + 1));
    return [...heard, ...tries, ...looks].toSorted((a, b) => a.at - b.at);
  }
});
