import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { epochMs, fromBase64Url, fromHex, Secret, toBase64Url, toHex, type ControlPlaneId } from '@ringfence/base';
import { TrafficKey } from '@ringfence/crypto/channel';
import { SigningKey, type SigningPublicKey } from '@ringfence/crypto/sign';
import type { Message } from '../messages/index.ts';
import type { Direction } from './direction.ts';
import { FrameReceiver } from './frame-receiver.ts';
import { FrameSender } from './frame-sender.ts';
import { checkAccept, readOpen, transcriptOf } from './handshake.ts';

interface Vector {
  now: number;
  party: string;
  controlPlane: ControlPlaneId;
  root: SigningPublicKey;
  partySeed: string;
  framesSeed: string;
  open: string;
  accept: string;
  transcript: string;
  keys: Record<Direction, string>;
  frames: { direction: Direction; name: string; mid: number; body: unknown; frame: string }[];
}

const vector = JSON.parse(readFileSync(new URL('./vectors/link-v1.json', import.meta.url), 'utf8')) as Vector;
const transcript = fromHex(vector.transcript);
const signing = {
  party: SigningKey.fromSeed(new Secret(fromHex(vector.partySeed))),
  'control-plane': SigningKey.fromSeed(new Secret(fromHex(vector.framesSeed))),
};

function trafficKey(direction: Direction): TrafficKey {
  const bytes = fromHex(vector.keys[direction]);
  return new TrafficKey(new Secret(bytes.subarray(0, 32)), bytes.subarray(32));
}

test('a handshake recorded in version 1 still verifies', () => {
  const open = fromBase64Url(vector.open);
  const accept = fromBase64Url(vector.accept);
  const request = readOpen(open, vector.controlPlane);
  assert.ok(request.ok);
  assert.equal(request.party, vector.party);
  const { controlPlane, root } = vector;
  const checked = checkAccept(open, accept, { controlPlane, root, now: epochMs(vector.now) });
  assert.ok(checked.ok);
  assert.equal(checked.controlPlaneKeys.frames, signing['control-plane'].publicKey);
  assert.equal(toHex(transcriptOf(open, accept)), vector.transcript);
});

for (const direction of ['party', 'control-plane'] as const)
  test(`frames recorded in version 1 open, and sealing makes the same bytes: ${direction}`, () => {
    const key = trafficKey(direction);
    const signer = signing[direction];
    const receiver = new FrameReceiver({ direction, role: 'agent', key, transcript, signer: signer.publicKey });
    const sender = new FrameSender({ direction, key, transcript, signing: signer });
    const frames = vector.frames.filter((frame) => frame.direction === direction);
    assert.ok(frames.length >= 4);
    for (const { name, mid, body, frame } of frames) {
      const opened = receiver.open(fromBase64Url(frame));
      assert.ok(opened.ok, name);
      assert.deepEqual({ ...opened.message, mid: opened.mid }, { name, body, mid });
      assert.equal(toBase64Url(sender.seal({ name, body } as Message, mid).bytes), frame, name);
    }
  });
