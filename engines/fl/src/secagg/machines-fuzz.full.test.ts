import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBelow, Secret, seededRng } from '@ringfence/base';
import { FlError } from '../fl-error.ts';
import { decodeClient, encodeClient } from './client-journal.ts';
import { decodeFrame, encodeFrame, FRAME_TAGS } from './frames.ts';
import { SampleNetwork, sampleRound } from './network.fixture.ts';

const CASES = 100_000;

test('frames that were sent, with bytes changed, cut off or added, end a round at the worst', () => {
  const rng = seededRng('mutations');
  const network = new SampleNetwork(sampleRound(4), 'mutations');
  for (const member of network.houses.keys()) network.begin(member);
  network.run();
  const frames = network.sent.map(([, frame]) => frame);
  for (let at = 0; at < CASES; at += 1) {
    const frame = Buffer.from(frames[at % frames.length] ?? Buffer.alloc(0));
    const place = randomBelow(rng, frame.length);
    frame[place] = (frame[place] ?? 0) ^ (1 + randomBelow(rng, 255));
    const cut = at % 3 === 0 ? frame.subarray(0, place) : frame;
    try {
      assert.ok(cut.equals(encodeFrame(decodeFrame(cut))));
    } catch (error) {
      assert.ok(error instanceof FlError, String(error));
    }
  }
});

test('clients and the aggregator take any frame at any time without an error of their own', () => {
  const rng = seededRng('machines');
  const tags = Object.values(FRAME_TAGS);
  for (let at = 0; at < 600; at += 1) {
    const network = new SampleNetwork(sampleRound(3), `machines ${at % 8}`);
    for (const member of network.houses.keys()) network.begin(member);
    const steps = at % 40;
    for (let step = 0; step < steps; step += 1) network.deliver(step % 3, step % 2 === 0 ? 'up' : 'down');
    const [pending] = [...network.house(0).down, ...network.house(1).up];
    const frame = Buffer.from(pending ?? rng.bytes(40));
    for (let change = 0; change < 3; change += 1) frame[randomBelow(rng, frame.length)] = randomBelow(rng, 256);
    frame[0] = tags[randomBelow(rng, tags.length)] ?? 0;
    frame.writeUInt32BE(1, 1);
    frame[5] = 0;
    network.client(0, { kind: 'frame', frame });
    network.aggregate({ kind: 'frame', member: 1, frame });
  }
});

test('a stored state is read back byte for byte; with one byte changed it is refused or another', () => {
  const rng = seededRng('states');
  const { round } = new SampleNetwork(sampleRound(4), 'unused');
  const states: Buffer[] = [];
  const network = new SampleNetwork(round, 'states');
  for (const member of network.houses.keys()) network.begin(member);
  for (let turn = 0; turn < 200; turn += 1) {
    network.deliver(turn % 4, turn % 3 === 0 ? 'down' : 'up');
    const { stored } = network.house(1);
    if (stored !== undefined) states.push(Buffer.from(stored));
  }
  for (const state of states) {
    using again = encodeClient(decodeClient(round, new Secret(Uint8Array.from(state))));
    assert.ok(state.equals(again.expose()));
  }
  for (let at = 0; at < 5_000; at += 1) {
    const changed = Buffer.from(states[at % states.length] ?? Buffer.alloc(1));
    const place = randomBelow(rng, changed.length);
    changed[place] = (changed[place] ?? 0) ^ (1 + randomBelow(rng, 255));
    const cut = at % 4 === 0 ? changed.subarray(0, place) : changed;
    try {
      using again = encodeClient(decodeClient(round, new Secret(Uint8Array.from(cut))));
      assert.ok(cut.equals(again.expose()));
    } catch (error) {
      assert.ok(error instanceof FlError, String(error));
    }
  }
});
