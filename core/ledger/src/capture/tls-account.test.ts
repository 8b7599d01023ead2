import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireSocket } from '../wire/wire-report.ts';
import { ethernet, pcapOf } from './capture-sample.fixture.ts';
import { reconcileCapture } from './reconcile.ts';
import { tlsAccount } from './tls-account.ts';

const record = (type: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 3, 3, payload.length >> 8, payload.length & 255]), payload]);
const hello = (length = 1_446): Buffer => record(22, Buffer.concat([Buffer.from([1]), Buffer.alloc(length - 1)]));
const change = record(20, Buffer.from([1]));
const finished = record(23, Buffer.alloc(53));
const data = (length: number): Buffer => record(23, Buffer.alloc(length + 17));
const serverHello = record(22, Buffer.concat([Buffer.from([2]), Buffer.alloc(37), Buffer.from([0, 0x13, 0x01, 0])]));
const account = (...records: Buffer[]) => tlsAccount(Buffer.concat(records), serverHello);

test('what a client of TLS 1.3 sends is taken apart, with a second hello when the server asked for one', () => {
  assert.deepEqual(account(hello(), change, finished, data(206), data(2)), {
    clear: 0,
    handshake: 1_451 + 6 + 58,
    application: 206,
    records: 2,
    alert: true,
    rest: 0,
  });
  assert.equal(account(hello(), change, hello(), finished, data(9))?.application, 9);
  assert.equal(account(hello(), change)?.application, 0);
});

test('records that no client sends, in which bytes could leave beside the frames, are no TLS', () => {
  for (const [what, records] of Object.entries({
    'a third hello': [hello(), change, hello(), hello(), finished],
    'a hello that is too long': [hello(9_000), change, finished],
    'a handshake record that is no hello': [hello(), change, record(22, Buffer.alloc(500)), finished],
    'two changes of the cipher': [hello(), change, change, finished],
    'another change of the cipher': [hello(), record(20, Buffer.from([7])), finished],
    'a change of the cipher first': [change, hello(), finished],
    'an empty record of application data': [hello(), change, finished, data(206), data(0), data(5)],
  }))
    assert.equal(account(...records), undefined, what);
});

/** A connection that is in the capture from its first byte to its last, as its party recorded it. */
function reconciled(records: readonly Buffer[], of: Partial<WireSocket>) {
  const sent = Buffer.concat(records);
  const pieces = Array.from({ length: Math.ceil(sent.length / 1_400) }, (_, n) =>
    sent.subarray(n * 1_400, (n + 1) * 1_400),
  );
  const frames = [
    ethernet({ out: true, sequence: 0, flags: 2, payload: Buffer.alloc(0) }),
    ethernet({ out: false, sequence: 0, flags: 18, payload: Buffer.alloc(0) }),
    ethernet({ out: false, sequence: 1, flags: 16, payload: serverHello }),
    ...pieces.map((payload, n) => ethernet({ out: true, sequence: 1 + n * 1_400, flags: 16, payload })),
  ];
  const from = 1_800_000_000_000;
  const socket: WireSocket = {
    dial: 2,
    to: 'control.example:443',
    via: 'direct',
    local: '10.0.0.2:4000',
    remote: '10.0.0.1:443',
    from: from as WireSocket['from'],
    closed: { at: from + 1, in: serverHello.length, out: sent.length },
    framesOut: [512, 512],
    ...of,
  };
  return reconcileCapture(pcapOf(frames), [socket]).connections.map(({ problems }) => problems);
}

const opening = [hello(), change, finished, data(191 + 'control.example:443'.length)];

test('frames in as many records as they need are exact; in many more, whose tags could carry something, they are not', () => {
  assert.deepEqual(reconciled([...opening, data(520), data(520), data(8), data(2)], {}), [[]]);
  assert.deepEqual(reconciled([...opening, data(1_048), data(2)], {}), [[]]);
  const crumbs = Array.from({ length: 520 }, () => data(1));
  assert.deepEqual(reconciled([...opening, ...crumbs, data(520), data(8), data(2)], {}), [['application']]);
});

test('a request to a proxy comes first only where a proxy was dialled', () => {
  const connect = Buffer.from('CONNECT control.example:443 HTTP/1.1\r\nhost: control.example:443\r\n\r\n');
  const [withProxy] = reconciled([connect, ...opening, data(520), data(520), data(2)], { via: 'proxy' });
  assert.deepEqual(withProxy, []);
  const [direct] = reconciled([connect, ...opening, data(520), data(520), data(2)], {});
  assert.deepEqual(direct, ['not-tls']);
});
