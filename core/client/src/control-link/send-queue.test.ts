import assert from 'node:assert/strict';
import test from 'node:test';
import type { Spending } from '@ringfence/protocol/frames';
import type { Message } from '@ringfence/protocol/messages';
import { SendQueue } from './send-queue.ts';

const free = (): number => 0;
const beat: Message = { name: 'heartbeat', body: { attempts: [] } };
const goodbye: Message = { name: 'goodbye', body: { reason: 'shutdown' } };
const ack = (mid: number): Message => ({ name: 'ack', body: { mid } });
const status = (attempt: number): Message => ({
  name: 'attempt-status',
  body: { job: 'job_aaaaaaaaaaaaaaaaaaaaaaaaaa' as never, attempt, state: 'running' },
});
const lock: Message = { name: 'lock', body: { agent: 'agt_aaaaaaaaaaaaaaaaaaaaaaaaaa' as never, reason: 'fork' } };

function drained(queue: SendQueue, waitFor: (spending: Spending) => number = free): unknown[] {
  const out: unknown[] = [];
  for (;;) {
    const step = queue.next(waitFor);
    if (step === undefined) return out;
    if ('waitMs' in step) return [...out, step.waitMs];
    out.push([step.send.message.name, step.send.mid]);
  }
}

test('session messages first, then the newest acknowledgement, durable messages in order, the newest heartbeat', () => {
  const queue = new SendQueue();
  queue.beat(beat);
  queue.durable({ message: status(1), mid: 1 });
  queue.durable({ message: status(2), mid: 2 });
  let newest = 1;
  queue.acknowledge(() => ack(newest));
  queue.acknowledge(() => ack(newest));
  newest = 7;
  queue.beat(beat);
  assert.deepEqual(drained(queue), [], 'nothing before the link is open');
  queue.session(goodbye);
  queue.open();
  assert.deepEqual(drained(queue), [
    ['goodbye', 0],
    ['ack', 0],
    ['attempt-status', 1],
    ['attempt-status', 2],
    ['heartbeat', 0],
  ]);
  assert.deepEqual(drained(queue), []);
});

test('what the budget does not pay for waits, and what pays for itself passes it', () => {
  const queue = new SendQueue();
  queue.open();
  queue.acknowledge(() => ack(1));
  queue.durable({ message: status(1), mid: 1 });
  queue.durable({ message: lock, mid: 2 });
  queue.beat(beat);
  const empty = ({ transition = false, reserve = 0, bytes }: Spending): number => (transition ? 0 : bytes + reserve);
  assert.deepEqual(
    drained(queue, empty),
    [['attempt-status', 1], 512],
    'the shortest wait is that of the acknowledgement',
  );
  assert.deepEqual(
    drained(queue, ({ reserve = 0 }) => reserve),
    [['ack', 0], ['lock', 2], 4_096],
    'a heartbeat leaves a reserve',
  );
});

test('a durable message never passes the one before it', () => {
  const queue = new SendQueue();
  queue.open();
  queue.durable({ message: lock, mid: 1 });
  queue.durable({ message: status(1), mid: 2 });
  assert.deepEqual(
    drained(queue, ({ transition }) => (transition === true ? 0 : 9)),
    [9],
  );
});
