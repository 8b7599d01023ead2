import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, systemRng } from '@ringfence/base';
import fc from 'fast-check';
import { UploadShares } from './upload-shares.ts';

const agents = [1, 2, 3].map(() => newId('agent', systemRng));
const [one] = agents;

test('an agent alone fills no more than half of a disk in a day, and goes on the day after', () => {
  assert.ok(one !== undefined);
  const shares = new UploadShares();
  let room = 100;
  const upload = (length: number, at: number): void => {
    shares.take(one, length, { room, now: at });
    room -= length;
  };
  for (let i = 0; i < 5; i += 1) upload(10, i);
  assert.throws(() => upload(1, 6), { code: 'disk-full' });
  assert.throws(() => upload(1, 86_399_999), { code: 'disk-full' });
  upload(25, 86_400_000);
  assert.throws(() => upload(1, 86_400_001), { code: 'disk-full' });
});

test('whoever uploads how much, every agent finds room for its first bytes', () => {
  const step = fc.record({ who: fc.nat(1), length: fc.integer({ min: 1, max: 400 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const shares = new UploadShares();
      let room = 1_000;
      const used = [0, 0];
      const now = 0;
      for (const { who, length } of steps) {
        try {
          shares.take(agents[who] ?? assert.fail(), length, { room, now });
          room -= length;
          used[who] = (used[who] ?? 0) + length;
        } catch {
          // refused
        }
        assert.ok((used[who] ?? 0) <= 500);
      }
      assert.ok(room >= 250, `${room} left of 1000 by two`);
      shares.take(agents[2] ?? assert.fail(), 100, { room, now });
    }),
    { numRuns: 5_000 },
  );
});
