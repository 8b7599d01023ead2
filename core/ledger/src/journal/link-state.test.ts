import assert from 'node:assert/strict';
import test from 'node:test';
import { BUDGET_BYTES } from '@ringfence/protocol/frames';
import { MESSAGES } from '@ringfence/protocol/messages';
import { readJournal } from './journal-reader.ts';
import type { JournalFields } from './journal-record.ts';
import { SAMPLE_FIELDS, writtenJournal } from './journal-sample.fixture.ts';
import { LinkState } from './link-state.ts';

function stateOf(fields: readonly JournalFields[]): LinkState {
  const state = new LinkState();
  for (const record of readJournal(writtenJournal(fields).text).records) state.apply(record);
  return state;
}

const [start] = SAMPLE_FIELDS;
const conn = '00112233aabbccdd';
const wire = '0'.repeat(64) as never;

function frame(dir: 'in' | 'out', name: keyof typeof MESSAGES, body: object, mid = 0): JournalFields {
  return { kind: 'frame', conn, dir, n: 0, number: MESSAGES[name].number, mid, body: body as never, size: 512, wire };
}

function after(...fields: JournalFields[]): LinkState {
  assert.ok(start !== undefined);
  return stateOf([start, ...fields]);
}

test('a message counts as processed by its fact, an acknowledgement or a hello, never by its arrival', () => {
  const stop = frame('in', 'stop', {}, 3);
  assert.equal(after(stop).received, 0);
  assert.equal(after(stop, { kind: 'fact', name: 'stopped', body: {}, of: 3 }).received, 3);
  assert.equal(after(stop, { kind: 'fact', name: 'other', body: {} }).received, 0);
  assert.equal(after(stop, frame('out', 'ack', { mid: 3 })).received, 3);
  assert.equal(after(stop, frame('out', 'hello', { received: 3 })).received, 3);
  assert.equal(after(frame('out', 'ack', { mid: 5 }), frame('out', 'ack', { mid: 4 })).received, 5);
});

test('queued messages wait until they are acknowledged, by control-ack or welcome', () => {
  const message = (mid: number) => ({ mid, number: MESSAGES.offer.number, body: {} });
  const queued: JournalFields[] = [
    { kind: 'queue', queue: [message(1)] },
    { kind: 'fact', name: 'two', body: {}, queue: [message(2), message(3)] },
  ];
  const mids = (state: LinkState): number[] => state.unacknowledged.map(({ mid }) => mid);
  assert.deepEqual(mids(after(...queued)), [1, 2, 3]);
  assert.equal(after(...queued).queued, 3);
  assert.deepEqual(mids(after(...queued, frame('in', 'control-ack', { mid: 2 }))), [3]);
  assert.deepEqual(mids(after(...queued, frame('in', 'welcome', { received: 1 }))), [2, 3]);
  const twice = after(...queued, frame('in', 'control-ack', { mid: 2 }), frame('in', 'welcome', { received: 1 }));
  assert.deepEqual([mids(twice), twice.acknowledged], [[3], 2], 'an acknowledgement is not taken back');
});

test('the budget outlives connections and processes', () => {
  // A record a millisecond: the bucket gains a quarter of a byte with each.
  const bytes = (state: LinkState): number => Math.floor(state.budget.tokens / 60_000 / 8) * 8;
  assert.equal(bytes(after()), BUDGET_BYTES);
  const open: JournalFields = { kind: 'open', conn, frame: Buffer.alloc(2_048).toString('base64') };
  assert.equal(bytes(after(open)), BUDGET_BYTES - 2_048);
  assert.ok(start !== undefined);
  assert.equal(bytes(after(open, frame('out', 'ack', { mid: 1 }), start)), BUDGET_BYTES - 2_560);
  assert.equal(bytes(after(open, frame('in', 'stop', {}, 1))), BUDGET_BYTES - 2_048, 'what comes in costs nothing');
});

test('a frame whose body lacks its number changes nothing', () => {
  const state = new LinkState();
  const [start, , , , , , ack] = readJournal(writtenJournal().text).records;
  assert.ok(start !== undefined && ack?.kind === 'frame');
  state.apply(start);
  state.apply({ ...ack, body: { mid: 'x' } });
  state.apply({ ...ack, body: {} });
  assert.equal(state.received, 0);
});
