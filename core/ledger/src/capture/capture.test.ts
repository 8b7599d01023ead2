import assert from 'node:assert/strict';
import test from 'node:test';
import { randomBelow, seededRng } from '@ringfence/base';
import { LedgerError } from '../ledger-error.ts';
import { capturedPackets } from './capture-file.ts';
import { ethernet, pcapngOf, pcapOf, type SampleSegment } from './capture-sample.fixture.ts';
import { connectionsTo } from './tcp-connection.ts';
import { tcpSegmentOf } from './tcp-segment.ts';
import { reconcileCounters } from './traffic-counters.ts';

/** `npm test` takes a tenth of them. */
const CASES = process.env['RINGFENCE_TEST_FULL'] === '1' ? 100_000 : 10_000;
const BEGIN = 0xffff_fff0;
const bytes = (text: string): Buffer => Buffer.from(text);
const segment = (out: boolean, sequence: number, payload = '', flags = 16): SampleSegment => ({
  out,
  sequence,
  flags,
  payload: bytes(payload),
});

/** Out of order, sent again, overlapping, and over the end of the sequence numbers. */
const SEGMENTS = [
  segment(true, BEGIN, '', 2),
  segment(false, 1_000, '', 18),
  segment(true, BEGIN + 6, 'fghijklmnopqr'),
  segment(true, BEGIN + 1, 'abcde'),
  segment(true, BEGIN + 1, 'abcde'),
  segment(false, 1_001, 'answer'),
  segment(true, BEGIN, 'x'),
  segment(true, BEGIN + 17, 'qrstuv'),
  segment(true, BEGIN + 23, '', 17),
];
const REMOTE = '10.0.0.1:443';

function connections(file: Uint8Array) {
  const found = Array.from(capturedPackets(file), tcpSegmentOf).filter(
    (read) => read !== undefined && read !== 'unreadable',
  );
  return connectionsTo(new Set([REMOTE]), found);
}

test('pcap and pcapng of both byte orders and resolutions give the same bytes, each once', () => {
  const frames = SEGMENTS.map(ethernet);
  for (const format of [pcapOf, pcapngOf])
    for (const little of [true, false])
      for (const nano of [true, false]) {
        const file = format(frames, { little, nano });
        const times = Array.from(capturedPackets(file), ({ t }) => t);
        assert.deepEqual(
          times,
          frames.map((_, n) => 1_800_000_000_000 + n),
        );
        const [connection, ...others] = connections(file);
        assert.ok(connection !== undefined && others.length === 0);
        assert.deepEqual([connection.local, connection.remote, connection.begun], ['10.0.0.2:4000', REMOTE, true]);
        assert.deepEqual(connection.out.bytes(), { bytes: bytes('abcdefghijklmnopqrstuv'), complete: true });
        assert.equal(connection.out.length, 22);
        assert.equal(connection.in.bytes().bytes.toString(), 'answer');
      }
});

test('a port that is used again is another connection, and a missing packet shows', () => {
  const again = [...SEGMENTS, ...SEGMENTS.filter((_, n) => n !== 3 && n !== 4)].map(ethernet);
  const [first, second, ...others] = connections(pcapOf(again));
  assert.ok(first !== undefined && second !== undefined && others.length === 0);
  assert.equal(first.out.bytes().complete, true);
  assert.equal(second.out.bytes().complete, false);
  assert.equal(second.out.length, 17);
});

test('no capture, however it is changed, makes the reader do anything but read or refuse', () => {
  const rng = seededRng('captures');
  const frames = SEGMENTS.map(ethernet);
  const files = [pcapOf(frames), pcapOf(frames, { little: false, nano: true }), pcapngOf(frames, { nano: true })];
  let read = 0;
  for (let n = 0; n < CASES; n += 1) {
    const file = Buffer.from(files[n % files.length] ?? Buffer.alloc(0));
    for (let edits = randomBelow(rng, 3); edits >= 0; edits -= 1)
      file[randomBelow(rng, file.length)] = randomBelow(rng, 256);
    const cut = randomBelow(rng, 4) === 0 ? file.subarray(0, randomBelow(rng, file.length)) : file;
    try {
      for (const packet of capturedPackets(cut)) read += tcpSegmentOf(packet) === undefined ? 0 : 1;
    } catch (error) {
      assert.ok(error instanceof LedgerError, String(error));
    }
  }
  assert.ok(read > CASES);
});

test('counters bound what can have crossed', () => {
  const socket = {
    dial: 2,
    to: 'x',
    via: 'direct',
    local: '10.0.0.2:4000',
    remote: REMOTE,
    from: 1,
    closed: { at: 2, in: 500, out: 1_000 },
    framesOut: [],
  } as const;
  const listed = (out: number, cameIn: number): string =>
    JSON.stringify({
      nftables: [
        { metainfo: { version: '1.0' } },
        { counter: { family: 'inet', name: 'ringfence_out', table: 'x', handle: 1, packets: 10, bytes: out } },
        { counter: { family: 'inet', name: 'ringfence_in', table: 'x', handle: 2, packets: 10, bytes: cameIn } },
      ],
    });
  const judged = (out: number, cameIn: number): boolean => reconcileCounters(listed(out, cameIn), [socket]).ok;
  assert.equal(judged(1_520, 1_020), true);
  assert.equal(judged(1_400, 900), true, 'the shortest headers');
  assert.equal(judged(1_801, 1_020), false, 'more than the longest headers explain');
  assert.equal(judged(1_399, 1_020), false, 'less than was recorded');
  const later = reconcileCounters(listed(400, 400), [socket], 5);
  assert.deepEqual(
    later.counters.map(({ recorded, most, ok }) => [recorded, most, ok]),
    [
      [0, 0, true],
      [0, 0, true],
    ],
    'nothing was dialled since',
  );
  assert.throws(() => reconcileCounters('{}', [socket]), { code: 'bad-capture' });
});
