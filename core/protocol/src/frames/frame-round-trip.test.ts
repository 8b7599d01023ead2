import assert from 'node:assert/strict';
import test from 'node:test';
import { canonicalBytes, newId, seededRng } from '@ringfence/base';
import fc from 'fast-check';
import { MESSAGES, type Message } from '../messages/index.ts';
import { frameBytesOf } from './frame-sender.ts';
import { verifyFrame } from './frame-signature.ts';
import { innerLength } from './inner-frame.ts';
import { linkPair } from './link-pair.fixture.ts';
import { crossing, sampleMessages } from './message-samples.fixture.ts';
import { classForInner, FRAME_SIZES, innerBytes, longestBody } from './size-class.ts';

/** A pair of ends past hello and welcome. */
function openedPair(seed: string, role: 'agent' | 'custodian') {
  const pair = linkPair(seed, role);
  const samples = sampleMessages(pair.rng);
  const first = (name: string): Message => samples.find((message) => message.name === name) as Message;
  assert.ok(pair.up.receiver.open(pair.up.sender.seal(first('hello'), 0).bytes).ok);
  assert.ok(pair.down.receiver.open(pair.down.sender.seal(first('welcome'), 0).bytes).ok);
  return pair;
}

test('every message crosses unchanged, with the signature, size and id that belong to it', () => {
  for (const message of sampleMessages(seededRng('samples'))) {
    const { name } = message;
    if (name === 'hello' || name === 'welcome') continue;
    const { direction, role } = crossing(name);
    const pair = openedPair(`round trip ${name}`, role);
    const { sender, receiver } = direction === 'party' ? pair.up : pair.down;
    const row = MESSAGES[name];
    const mid = row.durable ? 41 : 0;
    const expectedBytes = frameBytesOf(message);
    const sealed = sender.seal(message, mid);
    assert.equal(sealed.bytes.length, expectedBytes);
    const opened = receiver.open(sealed.bytes);
    assert.ok(opened.ok, `${name}: ${opened.ok ? '' : opened.code}`);
    assert.deepEqual(opened.message, message);
    assert.equal(opened.mid, mid);
    assert.equal(opened.sequence, 1);
    assert.equal(opened.transition, row.transition);
    assert.equal(opened.signedFrame !== undefined, row.signed, name);
    if (opened.signedFrame !== undefined) {
      const key = direction === 'party' ? pair.partyKey : pair.controlPlane.frames;
      assert.ok(verifyFrame(key.publicKey, opened.signedFrame), 'the signed frame is proof on its own');
    }
  }
});

test('the smallest class that fits is chosen, to the byte', () => {
  for (const signed of [false, true])
    for (const size of [0, 1, 2] as const) {
      const fits = innerBytes(size) - innerLength(0, signed);
      assert.equal(classForInner(innerLength(fits, signed)), size);
      assert.equal(classForInner(innerLength(fits + 1, signed)), size === 2 ? undefined : size + 1);
    }
  assert.equal(longestBody(true), 8_192 - 28 - 46 - 64);
});

test('long conversations stay in step, whatever the order of sizes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 64 }), { minLength: 1, maxLength: 40 }), (counts) => {
      const pair = openedPair('conversation', 'agent');
      const job = newId('job', pair.rng);
      counts.forEach((count, index) => {
        const attempts = Array.from({ length: count }, (_, attempt) => ({
          job,
          attempt: attempt + 1,
          memory: 30,
          cpu: 2,
        }));
        const message: Message = { name: 'heartbeat', body: { attempts } };
        const sealed = pair.up.sender.seal(message, 0);
        const least = FRAME_SIZES.find((size) => size - 28 >= innerLength(canonicalBytes({ attempts }).length, false));
        assert.equal(sealed.bytes.length, least);
        const opened = pair.up.receiver.open(sealed.bytes);
        assert.ok(opened.ok);
        assert.equal(opened.sequence, index + 1);
        assert.deepEqual(opened.message, message);
      });
    }),
    { numRuns: 30 },
  );
});

test('what does not fit or is not of its schema is never sealed', () => {
  const { up } = openedPair('sealing', 'agent');
  const before = up.sender.sequence;
  const attempts = Array.from({ length: 65 }, () => ({ job: 'x', attempt: 0, memory: -1, cpu: 64 }));
  const wrong = { name: 'heartbeat', body: { attempts } } as unknown as Message;
  assert.throws(() => up.sender.seal(wrong, 0), TypeError);
  const envelope = {
    payloadType: 'application/vnd.ringfence.job.v1+json',
    payload: 'A'.repeat(12_288),
    signatures: [{ keyid: '0'.repeat(32), sig: `${'A'.repeat(86)}==` }],
  };
  const lease = sampleMessages(seededRng('long')).find(({ name }) => name === 'lease');
  assert.ok(lease?.name === 'lease');
  const long: Message = { name: 'lease', body: { ...lease.body, job: envelope } };
  assert.throws(() => up.sender.seal(long, 1), RangeError);
  assert.throws(() => frameBytesOf(long), RangeError);
  assert.equal(up.sender.sequence, before, 'a frame that was not made uses no sequence');
});
