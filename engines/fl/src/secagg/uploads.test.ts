import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ringWidth } from '../ring/index.ts';
import { AttackedNetwork } from './attack.fixture.ts';
import { decodeFrame } from './frames.ts';
import { CHUNK_BYTES } from './round.ts';
import { UploadSlots } from './upload-slots.ts';

const chunk = new Uint8Array(CHUNK_BYTES);

test('few upload at a time and the others wait in line; one that stands still loses its place to them, and begins anew', () => {
  const slots = new UploadSlots(32 * CHUNK_BYTES);
  assert.deepEqual(slots.ready(7), [{ place: 7, from: 0, count: 8 }]);
  assert.deepEqual(slots.ready(8), [{ place: 8, from: 0, count: 8 }]);
  assert.deepEqual(slots.ready(9), []);
  assert.deepEqual(slots.dropStalled(), []);
  assert.deepEqual(slots.take(8, 0, chunk), { grants: [] });
  assert.deepEqual(slots.dropStalled(), [{ place: 9, from: 0, count: 8 }]);
  assert.deepEqual(slots.take(7, 0, chunk), { grants: [] });
  // 7 waits in line; 8 goes on where it was.
  assert.deepEqual(slots.repeat(8), [{ place: 8, from: 1, count: 8 }]);
  assert.deepEqual(slots.drop(9), [{ place: 7, from: 0, count: 8 }]);
});

test('after a break an upload goes on with the first piece that did not arrive, and what came twice counts once', () => {
  const slots = new UploadSlots(2 * CHUNK_BYTES + 5);
  assert.deepEqual(slots.ready(1), [{ place: 1, from: 0, count: 3 }]);
  assert.deepEqual(slots.take(1, 0, chunk.fill(1)), { grants: [] });
  assert.deepEqual(slots.take(1, 0, chunk.fill(9)), { grants: [] });
  assert.deepEqual(slots.ready(1), [{ place: 1, from: 1, count: 2 }]);
  slots.take(1, 1, chunk.fill(2));
  const { whole } = slots.take(1, 2, Uint8Array.of(3, 3, 3, 3, 3));
  assert.deepEqual([whole?.[0], whole?.[CHUNK_BYTES], whole?.at(-1), whole?.length], [1, 2, 3, 2 * CHUNK_BYTES + 5]);
});

test('whole vectors go into the sum four at a time, what is left at the end, and large ones one by one', () => {
  const added = (bytes: number): string[] => {
    const slots = new UploadSlots(bytes);
    const seen: string[] = [];
    const add = (vectors: readonly Uint8Array[]) => void seen.push(vectors.map((vector) => vector[0]).join());
    for (let place = 0; place < 6; place += 1) {
      slots.ready(place);
      for (let at = 0; at < bytes / CHUNK_BYTES; at += 1) slots.take(place, at, chunk.fill(place));
      slots.finish(place, add);
      // What it sends again is no second vector.
      assert.deepEqual(slots.take(place, 0, chunk), { grants: [] });
      assert.deepEqual(slots.finish(place, add), []);
      assert.deepEqual(slots.drop(place), []);
    }
    slots.addHeld(add);
    slots.addHeld(() => assert.fail('all are in the sum'));
    return seen;
  };
  assert.deepEqual(added(CHUNK_BYTES), ['0,1,2,3', '4,5']);
  assert.deepEqual(added(8 * CHUNK_BYTES), ['0,1,2,3', '4,5']);
  assert.deepEqual(added(9 * CHUNK_BYTES), ['0', '1', '2', '3', '4', '5']);
});

test('vectors that wait for others are held within the same bytes as the uploads under way', () => {
  for (const chunks of [8, 9, 20]) {
    const slots = new UploadSlots(chunks * CHUNK_BYTES);
    const begun = Array.from({ length: 30 }, (_, place) => slots.ready(place)).flat();
    const memory = new Set<ArrayBufferLike>();
    for (const { place } of begun) {
      for (let at = 0; at < chunks - 1; at += 1) slots.take(place, at, chunk);
      const { whole } = slots.take(place, chunks - 1, chunk);
      memory.add((whole ?? assert.fail()).buffer);
      begun.push(...slots.finish(place, () => {}));
    }
    assert.equal(begun.length, 30);
    assert.equal(memory.size, Math.floor(64 / chunks));
  }
});

test('a vector of many pieces arrives whole over a link that breaks at each of them; half a vector is in no sum', () => {
  // 2.4 MB a vector: three pieces.
  const size = { width: ringWidth(16), length: 1_200_000 };
  const network = AttackedNetwork.until('chunk', 1, 4, size);
  for (let broken = 0; broken < 3; broken += 1) {
    while (!network.folded(1) && network.nextUp(1) !== 'chunk')
      network.deliver(1, network.nextUp(1) === undefined ? 'down' : 'up');
    network.deliver(1, 'up');
    network.reconnect(1);
  }
  assert.ok(network.folded(1));
  const pieces = network.sentBy(1, 'chunk').map((frame) => decodeFrame(frame).body);
  assert.deepEqual(
    pieces.map((body) => (body.kind === 'chunk' ? body.index : -1)),
    [0, 1, 2, 1, 2, 2],
  );
  network.run();
  assert.deepEqual(network.outcome?.sum, network.expectedSum());

  const half = AttackedNetwork.until('chunk', 2, 4, size);
  half.deliver(2, 'up');
  half.drop(2);
  half.run();
  assert.deepEqual(half.outcome?.included, [0, 1, 3]);
  assert.deepEqual(half.outcome?.sum, half.expectedSum());
});

test('a vector that is refused frees its place for the next in line, who hears of it', () => {
  const network = AttackedNetwork.until('inbox', 0, 4, { width: ringWidth(9), length: 7 });
  // One place is left.
  for (let at = 0; at < 63; at += 1) network.aggregator.uploads.ready(1_000 + at);
  for (const way of ['up', 'down'] as const) network.deliver(3, way);
  for (const way of ['down', 'up'] as const) network.deliver(1, way);
  network.forge('chunk', 3, () => ({ kind: 'chunk', index: 0, bytes: new Uint8Array(8).fill(255) }));
  network.deliver(3, 'up');
  network.putOut(3, 'malformed-frame');
  network.run();
  assert.deepEqual(network.outcome?.included, [0, 1, 2]);
  assert.deepEqual(network.outcome?.sum, network.expectedSum());
});
