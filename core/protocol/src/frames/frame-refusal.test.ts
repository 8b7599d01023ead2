import assert from 'node:assert/strict';
import test from 'node:test';
import { canonicalBytes, concatBytes, utf8 } from '@ringfence/base';
import { sealRecord } from '@ringfence/crypto/channel';
import { MESSAGES, RESERVED, type Message, type MessageName } from '../messages/index.ts';
import type { Direction } from './direction.ts';
import { frameHash } from './frame-hash.ts';
import { signFrame } from './frame-signature.ts';
import { innerLength, writeInnerFrame, type InnerFrame } from './inner-frame.ts';
import { linkPair } from './link-pair.fixture.ts';
import { crossing, sampleMessages } from './message-samples.fixture.ts';
import type { FrameRefusal } from './refusal.ts';
import { sealedHeader } from './sealed-header.ts';
import { classForInner, innerBytes, type SizeClass } from './size-class.ts';

type Pair = ReturnType<typeof linkPair>;

/** A frame sealed by someone who holds every key and breaks one rule. */
function craft(pair: Pair, change: Partial<InnerFrame> & Crafting = {}): Uint8Array {
  const { direction = 'party', sequence = 0, sign = true } = change;
  const frame: InnerFrame = { ...helloFrame(pair), ...change };
  const end = innerLength(frame.body.length, frame.signed);
  const size = change.size ?? classForInner(end) ?? 2;
  const inner = Buffer.alloc(innerBytes(size));
  writeInnerFrame(frame, inner);
  const unsigned = inner.subarray(0, innerLength(frame.body.length, false));
  const { transcript } = pair;
  const key = direction === 'party' ? pair.partyKey : pair.controlPlane.frames;
  if (frame.signed && sign)
    inner.set(signFrame(key, { transcript, direction, sequence, inner: unsigned }), unsigned.length);
  change.touch?.(inner, end);
  const header = change.header ?? sealedHeader(size, sequence);
  const traffic = direction === 'party' ? pair.keys.initiatorToResponder : pair.keys.responderToInitiator;
  return concatBytes(header, sealRecord(traffic, sequence, header, inner));
}

interface Crafting {
  direction?: Direction;
  sequence?: number;
  sign?: boolean;
  size?: SizeClass;
  header?: Uint8Array;
  touch?: (inner: Buffer, end: number) => void;
}

function sample(pair: Pair, name: MessageName): Message {
  return sampleMessages(pair.rng).find((message) => message.name === name) as Message;
}

function helloFrame(pair: Pair): InnerFrame {
  const { body } = sample(pair, 'hello');
  return { number: MESSAGES.hello.number, signed: true, mid: 0, chain: pair.transcript, body: canonicalBytes(body) };
}

/** The frame is refused with this code, and the right frame still passes afterwards: nothing moved. */
function refuses(pair: Pair, frame: Uint8Array, code: FrameRefusal, what: string = code): void {
  const result = pair.up.receiver.open(frame);
  assert.equal(result.ok ? 'accepted' : result.code, code, what);
  assert.equal(pair.up.receiver.sequence, 0);
}

test('each broken rule has its code, and a refusal moves nothing', () => {
  const pair = linkPair('rules');
  const text = (json: string): Uint8Array => utf8(json);
  const hello = Buffer.from(helloFrame(pair).body).toString();
  const cases: [FrameRefusal, string, Partial<InnerFrame> & Crafting][] = [
    ['version', 'version 2', { header: Buffer.from([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) }],
    ['class', 'class of another size', { header: Buffer.from([1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) }],
    ['class', 'larger than needed', { size: 2 }],
    ['reserved', 'header bytes', { header: Buffer.from([1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]) }],
    ['sequence', 'one ahead', { sequence: 1 }],
    ['sequence', 'beyond safe integers', { header: Buffer.from([1, 0, 0, 0, 0xff, 0, 0, 0, 0, 0, 0, 0]) }],
    ['tag', 'key of the other direction', { direction: 'control-plane' }],
    ['reserved', 'a second flag', { touch: (inner) => inner.writeUInt8(3, 2) }],
    ['reserved', 'byte 3', { touch: (inner) => inner.writeUInt8(1, 3) }],
    ['message-id', 'beyond safe integers', { touch: (inner) => inner.writeUInt8(0xff, 4) }],
    ['message-id', 'a transient message with an id', { mid: 1 }],
    ['chain', 'another chain', { chain: new Uint8Array(32) }],
    ['length', 'longer than the frame', { touch: (inner) => inner.writeUInt16BE(0xffff, 44) }],
    ['padding', 'one byte behind the signature', { touch: (inner, end) => inner.writeUInt8(1, end) }],
    ['padding', 'the last byte', { touch: (inner) => inner.writeUInt8(1, inner.length - 1) }],
    ['signature', 'not signed at all', { sign: false }],
    ['signature', 'a flipped bit', { touch: (inner, end) => inner.writeUInt8(inner.readUInt8(end - 1) ^ 1, end - 1) }],
    ['signature-missing', 'flag unset', { signed: false }],
    ['canonical', 'a space', { body: text(hello.replace(':', ': ')) }],
    ['canonical', 'a repeated key', { body: text(hello.replace('{', '{"received":7,')) }],
    [
      'canonical',
      'keys out of order',
      { body: text(`{"role":"agent",${hello.slice(1).replace(',"role":"agent"', '')}`) },
    ],
    ['canonical', 'a fraction', { body: text(hello.replace('"received":7', '"received":7.5')) }],
    ['canonical', 'not UTF-8', { body: Buffer.from('{"a":"\xf0\x9f\x98"}', 'latin1') }],
    ['canonical', 'nothing', { body: text('') }],
    ['canonical', 'deep nesting', { body: text('['.repeat(1_000) + ']'.repeat(1_000)), size: 2 }],
    ['schema', 'an unknown key', { body: text(hello.replace('"org"', '"note":"x","org"')) }],
    ['schema', 'a negative number', { body: text(hello.replace('"received":7', '"received":-7')) }],
    ['schema', 'null', { body: text('null') }],
  ];
  for (const [code, what, change] of cases) refuses(pair, craft(pair, change), code, what);
  assert.ok(pair.up.receiver.open(craft(pair)).ok);
});

test('numbers that do not exist or are kept for later are unknown', () => {
  const pair = linkPair('numbers');
  const known = new Set<number>(Object.values(MESSAGES).map(({ number }) => number));
  for (const number of [0, 0xffff, ...Object.values(RESERVED)]) {
    assert.ok(!known.has(number));
    refuses(pair, craft(pair, { number }), 'unknown-message');
  }
});

test('a message passes in its own direction, to and from its own role, and nowhere else', () => {
  for (const name of Object.keys(MESSAGES) as MessageName[]) {
    const right = crossing(name);
    for (const direction of ['party', 'control-plane'] as const)
      for (const role of ['agent', 'custodian'] as const) {
        const { number, signed, durable, sender, reader } = MESSAGES[name];
        const pair = linkPair(`direction ${name} ${direction} ${role}`, role);
        const frame = craft(pair, {
          direction,
          number,
          signed,
          mid: durable ? 1 : 0,
          body: canonicalBytes(sample(pair, name).body),
        });
        const { receiver } = direction === 'party' ? pair.up : pair.down;
        const result = receiver.open(frame);
        const eitherRole = sender === 'party' || reader === 'party';
        const fits = right.direction === direction && (eitherRole || right.role === role);
        const first = name === 'hello' || name === 'welcome' || name === 'goodbye';
        const expected = !fits ? 'sender' : first ? 'ok' : 'order';
        assert.equal(result.ok ? 'ok' : result.code, expected, `${name} ${direction} ${role}`);
      }
  }
});

test('signatures stand where they belong and nowhere else, and so do ids', () => {
  const pair = linkPair('flags');
  let chain: Uint8Array = new Uint8Array();
  const keepHash = (inner: Buffer, end: number): void => void (chain = frameHash(0, inner.subarray(0, end)));
  assert.ok(pair.up.receiver.open(craft(pair, { touch: keepHash })).ok);
  const second = (name: MessageName, change: Partial<InnerFrame>): string => {
    const { number, signed, durable } = MESSAGES[name];
    const body = canonicalBytes(sample(pair, name).body);
    const frame = craft(pair, { number, signed, mid: durable ? 1 : 0, chain, body, sequence: 1, ...change });
    const result = pair.up.receiver.open(frame);
    return result.ok ? 'ok' : result.code;
  };
  assert.equal(second('heartbeat', { signed: true }), 'signature-unexpected');
  assert.equal(second('offer', { signed: false }), 'signature-missing');
  assert.equal(second('offer', { mid: 0 }), 'message-id');
  assert.equal(second('heartbeat', { mid: 5 }), 'message-id');
  assert.equal(second('hello', {}), 'order');
});

test('any changed, missing or added byte of a sealed frame is refused', () => {
  const pair = linkPair('bytes');
  const frame = craft(pair);
  for (let at = 0; at < frame.length; at += 1) {
    const changed = Uint8Array.from(frame);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    const code = at === 0 ? 'version' : at === 1 ? 'class' : at < 4 ? 'reserved' : at < 12 ? 'sequence' : 'tag';
    refuses(pair, changed, code);
  }
  for (const length of [0, 1, 11, 12, 28, 511, 513, 2_047, 2_049, 8_191, 8_193, 65_536])
    refuses(pair, Buffer.concat([frame, Buffer.alloc(70_000)]).subarray(0, length), 'size');
  for (const length of [2_048, 8_192])
    refuses(pair, Buffer.concat([frame, Buffer.alloc(8_192)]).subarray(0, length), 'class');
  assert.ok(pair.up.receiver.open(frame).ok);
});

test('replayed, skipped and reordered frames are refused, and frames of another link', () => {
  const pair = linkPair('order');
  const other = linkPair('another connection');
  const frames = [0, 1, 2, 3].map((index) =>
    index === 0 ? pair.up.sender.seal(sample(pair, 'hello'), 0) : pair.up.sender.seal(sample(pair, 'heartbeat'), 0),
  );
  const open = (index: number): string => {
    const result = pair.up.receiver.open(frames[index]?.bytes ?? new Uint8Array());
    return result.ok ? 'ok' : result.code;
  };
  assert.equal(open(1), 'sequence', 'a gap');
  assert.equal(open(0), 'ok');
  assert.equal(open(0), 'sequence', 'a replay');
  assert.equal(open(2), 'sequence', 'out of order');
  refuses(other, frames[0]?.bytes ?? new Uint8Array(), 'tag', 'the frame of one connection at another');
  assert.equal(open(1), 'ok');
  const moved = craft(pair, {
    number: MESSAGES.heartbeat.number,
    signed: false,
    body: utf8('{"attempts":[]}'),
    sequence: 2,
  });
  const result = pair.up.receiver.open(moved);
  assert.equal(result.ok ? 'ok' : result.code, 'chain', 'a frame in the place of another');
  assert.equal(open(2), 'ok');
});

test("a party's frame sealed again by the other end under the same numbers does not pass as its own", () => {
  const pair = linkPair('reflect');
  const reflected = craft(pair, { direction: 'control-plane' });
  const result = pair.down.receiver.open(reflected);
  assert.equal(result.ok ? 'ok' : result.code, 'sender');
});
