import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRng, utf8 } from '@ringfence/base';
import { sha256Hex } from '@ringfence/crypto/sign';
import { readMessage, writeMessage, type FederationMessage } from './federation-message.ts';

const model = { digest: sha256Hex(Buffer.from('model')), bytes: 4_000 };
const MESSAGES: readonly FederationMessage[] = [
  { kind: 'announce', round: 3, model },
  { kind: 'begin', round: 3 },
  { kind: 'over', round: 3, outcome: 'aborted', reason: 'too-few-survivors' },
  { kind: 'over', round: 3, outcome: 'summed', figures: { examples: 300, metrics: { loss: 0.25 } } },
  { kind: 'over', round: 3, outcome: 'summed' },
  { kind: 'end', outcome: 'finished', model },
  { kind: 'end', outcome: 'withdrawn' },
  { kind: 'ready', round: 3 },
  { kind: 'decline', round: 3, reason: 'budget' },
  { kind: 'bye', received: true },
];

test('every message reads as it was written', () => {
  for (const message of MESSAGES) assert.deepEqual(readMessage(writeMessage(message)), message);
  const frame = { kind: 'frame', round: 2 ** 32 - 1, frame: Uint8Array.of(1, 2, 3) } as const;
  const read = readMessage(writeMessage(frame));
  assert.ok(read?.kind === 'frame' && read.round === frame.round);
  assert.deepEqual(Uint8Array.from(read.frame), frame.frame);
});

test('nothing else is a message', () => {
  const words = [
    '{"kind":"ready"}',
    '{"kind":"ready","round":0}',
    '{"kind":"ready","round":1.5}',
    '{"kind":"ready","round":1,"more":1}',
    '{"kind":"frame","round":1}',
    '{"kind":"toString","round":1}',
    '{"kind":"over","round":1,"outcome":"summed","reason":"a value of\\u0000somebody"}',
    '{"kind":"end","outcome":"finished","model":{"digest":"00","bytes":4}}',
    'null',
    '[]',
    '',
  ];
  for (const text of words) assert.equal(readMessage(Buffer.concat([Uint8Array.of(1), utf8(text)])), undefined, text);
  assert.equal(readMessage(new Uint8Array()), undefined);
  assert.equal(readMessage(Uint8Array.of(2, 0, 0, 0, 1)), undefined);
  assert.equal(readMessage(Buffer.alloc(70_000, 1)), undefined);
});

test('hostile bytes are refused and never thrown at', () => {
  const rng = seededRng('federation-message');
  for (let run = 0; run < 100_000; run += 1) {
    const source = writeMessage(MESSAGES[run % MESSAGES.length] ?? MESSAGES[0]!);
    const broken = Uint8Array.from(source);
    const at = (rng.bytes(1)[0] ?? 0) % broken.length;
    broken[at] = rng.bytes(1)[0] ?? 0;
    const read = readMessage(run % 3 === 0 ? broken.subarray(0, at) : broken);
    assert.ok(read === undefined || typeof read.kind === 'string');
  }
});
